/**
 * The site's API: exactly the calls that its own worker makes. What is not as it must be throws a LanistaError: `unavailable`
 * (try again: the site is away, ails, or answers something that is none of its answers), `unauthenticated` and `forbidden` (the
 * token), `conflict` and `not_found` (the job or the message's id: not stored yet, or no more), `invalid` (refused for good).
 */
import { LanistaError } from "@lanista/api/errors";
import { z } from "zod";
import { type SiteAnswer, type SiteCall, SiteWire } from "./site-call.ts";

const Id = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const Started = z.object({ status: z.string().max(100), task: Id, submission: Id });
/** Nothing, or less than nothing: no limit, as in aiVLE's worker. */
const Limit = z.int().min(-1_000_000_000).max(1_000_000_000);
const Task = z.object({ ram_limit: Limit, vram_limit: Limit, run_time_limit: Limit });
const Threshold = z.number().min(0).max(1_000_000_000);
const Queue = z.object({
  id: Id,
  name: z.string().max(500),
  cpu_required: Threshold,
  ram_required: Threshold,
  vram_required: Threshold,
});
const Queues = z.object({ results: z.array(Queue).max(1000) });

export type StartedJob = z.infer<typeof Started>;
export type SiteTask = z.infer<typeof Task>;
export type SiteQueue = z.infer<typeof Queue>;

export class Site {
  readonly #wire: SiteWire;

  constructor(base: string, token: string) {
    this.#wire = new SiteWire(base, token);
  }

  /** `worker`: `name@host`. */
  async startJob(jobId: number, taskId: string, worker: string, signal: AbortSignal): Promise<StartedJob> {
    const path = `/jobs/${jobId}/start_job/`;
    return await this.#ask({ path, form: { worker_name: worker, task_id: taskId } }, Started, signal);
  }

  async task(task: number, signal: AbortSignal): Promise<SiteTask> {
    return await this.#ask({ path: `/tasks/${task}/` }, Task, signal);
  }

  async grader(task: number, file: string, mostBytes: number, signal: AbortSignal): Promise<void> {
    await this.#take(`/tasks/${task}/download_grader/`, file, mostBytes, signal);
  }

  async agent(submission: number, file: string, mostBytes: number, signal: AbortSignal): Promise<void> {
    await this.#take(`/submissions/${submission}/download/`, file, mostBytes, signal);
  }

  /** `over`: the site says that the job does not run, so that it has a result already. */
  async submitJob(jobId: number, report: Buffer, signal: AbortSignal): Promise<"stored" | "over"> {
    const path = `/jobs/${jobId}/submit_job/`;
    const answer = await this.#wire.call({ path, json: report }, signal);
    if (answer.status === 400 && /not running/i.test(answer.text)) return "over";
    refuse(path, answer);
    return "stored";
  }

  async updateJobError(jobId: number, taskId: string, error: string, signal: AbortSignal): Promise<void> {
    const path = `/jobs/${jobId}/update_job_error/`;
    refuse(
      path,
      await this.#wire.call({ path, json: Buffer.from(JSON.stringify({ task_id: taskId, error })) }, signal),
    );
  }

  /** Undefined: the site shows none of this name to this token. */
  async queue(name: string, signal: AbortSignal): Promise<SiteQueue | undefined> {
    const { results } = await this.#ask({ path: "/queue/", query: { name } }, Queues, signal);
    return results.find((queue) => queue.name === name);
  }

  async stopConsuming(queue: number, worker: string, signal: AbortSignal): Promise<void> {
    const path = `/queue/${queue}/stop_consuming/`;
    refuse(path, await this.#wire.call({ path, query: { worker } }, signal));
  }

  async resumeConsuming(queue: number, worker: string, signal: AbortSignal): Promise<void> {
    const path = `/queue/${queue}/resume_consuming/`;
    refuse(path, await this.#wire.call({ path, query: { worker } }, signal));
  }

  async close(): Promise<void> {
    await this.#wire.close();
  }

  async #ask<T>(call: SiteCall, schema: z.ZodType<T>, signal: AbortSignal): Promise<T> {
    const answer = await this.#wire.call(call, signal);
    refuse(call.path, answer);
    const parsed = schema.safeParse(parsedJson(answer.text));
    if (parsed.success) return parsed.data;
    const [first] = parsed.error.issues;
    // A page of somebody's in front of the site, for instance.
    throw new LanistaError(
      "unavailable",
      `the site, ${call.path}: answers what is none of its answers (${first?.path.join(".")}: ${first?.message})`,
    );
  }

  async #take(path: string, file: string, mostBytes: number, signal: AbortSignal): Promise<void> {
    refuse(path, { status: await this.#wire.download(path, file, mostBytes, signal), text: "" });
  }
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refuse(path: string, { status, text }: SiteAnswer): void {
  if (status === 200) return;
  const message = `the site, ${path}: answers ${status} ${text.slice(0, 200)}`.trim();
  if (status === 401)
    throw new LanistaError(/task_id/.test(text) ? "conflict" : "unauthenticated", message, {
      hint: "Is ACCESS_TOKEN a token of the site's?",
    });
  if (status === 403)
    throw new LanistaError("forbidden", message, { hint: "The token's owner must be staff of the course." });
  if (status === 404) throw new LanistaError("not_found", message);
  throw new LanistaError("invalid", message);
}
