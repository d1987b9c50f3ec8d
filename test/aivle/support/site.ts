/**
 * A stand-in for aiVLE's site: the calls of its worker and no others, with the site's own answers. What is not exactly a call is
 * refused, and written down in `refused`. It can ail (500, with or without the effect), and it knows a message's id only when
 * the test says so. With `courses` it has those of an import as well.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { SiteCourses } from "./site-courses.ts";

export interface SiteJob {
  readonly id: number;
  /** Undefined until the site has stored it. */
  taskId?: string;
  status: "Q" | "R" | "D" | "E";
  starts: number;
  worker?: string;
  error: string | null;
  /** Every body of submit_job that came, accepted or not. */
  readonly told: string[];
  /** Those that were accepted. */
  readonly stored: string[];
}

type When = "before" | "after";
export type Answer = readonly [status: number, body: unknown];

const TOKEN = "0123456789abcdef0123456789abcdef01234567";
const ERRORS = ["TLE", "MLE", "VLE", "RE", null];
const REPORT = ["error", "ok", "raw_log", "result", "task_id"].join();

export class StandInSite {
  readonly token = TOKEN;
  readonly jobs = new Map<number, SiteJob>();
  readonly refused: string[] = [];
  readonly queue = { id: 7, name: "default", cpu_required: 0, ram_required: 0, vram_required: 0 };
  readonly limits = { ram_limit: 256, vram_limit: 256, run_time_limit: 200 };
  readonly zips = { grader: Buffer.from("PK\x05\x06grader"), agent: Buffer.from("PK\x05\x06agent") };
  /** What an import brings over. */
  courses: SiteCourses | undefined;
  /** 0 … 1: how many calls fail. */
  ailing = 0;
  /** Called in the middle of a call. */
  onCall: (call: string, when: When, job?: SiteJob) => void = () => {};
  /** What the site does about a worker: by Celery's remote control. */
  onPause: (command: "cancel_consumer" | "add_consumer", queue: string, worker: string) => Promise<unknown> =
    async () => {};
  readonly #server: Server = createServer((request, response) => void this.#serve(request, response));

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/api/v1`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  add(id: number): SiteJob {
    const job: SiteJob = { id, status: "Q", starts: 0, error: null, told: [], stored: [] };
    this.jobs.set(id, job);
    return job;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", headers } = request;
    const url = new URL(request.url ?? "", "http://site");
    const body = await text(request).catch(() => "");
    const send = ([status, answer]: Answer): void => {
      const bytes = Buffer.isBuffer(answer) ? answer : Buffer.from(JSON.stringify(answer));
      response.writeHead(status, { "content-type": Buffer.isBuffer(answer) ? "application/zip" : "application/json" });
      response.end(bytes);
    };
    if (headers.authorization !== `Token ${TOKEN}`) {
      send([401, { detail: "Invalid token." }]);
      return;
    }
    const found = method === "GET" ? this.#find(url, headers["content-type"], body) : undefined;
    if (found === undefined) {
      this.refused.push(
        `${method} ${url.pathname}${url.search} ${headers["content-type"] ?? ""} ${body.slice(0, 200)}`,
      );
      send([404, { detail: "Not found." }]);
      return;
    }
    const fails = Math.random() < this.ailing;
    if (fails && Math.random() < 0.5) {
      send([500, "Server Error"]);
      return;
    }
    this.onCall(found.call, "before", found.job);
    const answer = await found.act();
    this.onCall(found.call, "after", found.job);
    send(fails ? [502, "Bad Gateway"] : answer);
  }

  #find(
    url: URL,
    type: string | undefined,
    body: string,
  ): { readonly call: string; readonly job?: SiteJob; readonly act: () => Answer | Promise<Answer> } | undefined {
    const { pathname, searchParams } = url;
    const query = [...searchParams.keys()].join();
    const [, id, call] = /^\/api\/v1\/jobs\/(\d+)\/(start_job|submit_job|update_job_error)\/$/.exec(pathname) ?? [];
    if (id !== undefined && call !== undefined && query === "") {
      const job = this.jobs.get(Number(id));
      if (job === undefined) return { call, act: () => [404, { detail: "Not found." }] };
      if (call === "start_job") return this.#start(job, type, body);
      return call === "submit_job" ? this.#submit(job, type, body) : this.#updateError(job, type, body);
    }
    if (body !== "") return undefined;
    const ofCourse = this.courses?.find(url);
    if (ofCourse !== undefined) return ofCourse;
    if (pathname === "/api/v1/tasks/3/download_grader/" && query === "")
      return { call: "grader", act: () => [200, this.zips.grader] };
    if (pathname === "/api/v1/submissions/5/download/" && query === "")
      return { call: "agent", act: () => [200, this.zips.agent] };
    if (pathname === "/api/v1/tasks/3/" && query === "")
      return { call: "task", act: () => [200, { id: 3, name: "a task", ...this.limits, eval_queue: this.queue.id }] };
    if (pathname === "/api/v1/queue/" && query === "name") {
      const results = searchParams.get("name") === this.queue.name ? [this.queue] : [];
      return { call: "queue", act: () => [200, { count: results.length, next: null, previous: null, results }] };
    }
    const pausing = /^\/api\/v1\/queue\/7\/(stop|resume)_consuming\/$/.exec(pathname);
    if (pausing !== null && query === "worker") return this.#pause(pausing[1]!, searchParams.get("worker")!);
    return undefined;
  }

  #start(job: SiteJob, type: string | undefined, body: string) {
    const form = new URLSearchParams(body);
    const worker = form.get("worker_name") ?? "";
    if (type !== "application/x-www-form-urlencoded" || [...form.keys()].sort().join() !== "task_id,worker_name")
      return undefined;
    return {
      call: "start_job",
      job,
      act: (): Answer => {
        if (job.taskId === undefined || form.get("task_id") !== job.taskId) return wrongId();
        job.status = "R";
        job.starts++;
        job.worker = worker;
        return [200, { status: "success", task: 3, submission: 5 }];
      },
    };
  }

  #submit(job: SiteJob, type: string | undefined, body: string) {
    const report = json(type, body);
    const known =
      report !== undefined &&
      Object.keys(report).sort().join() === REPORT &&
      typeof report.ok === "boolean" &&
      typeof report.raw_log === "string" &&
      (typeof report.result === "string" || report.result === null) &&
      ERRORS.includes(report.error as string | null) &&
      (report.ok ? report.result !== null && report.error === null : true);
    if (!known) return undefined;
    return {
      call: "submit_job",
      job,
      act: (): Answer => {
        job.told.push(body);
        if (job.status !== "R")
          return [400, { status: "failed", reason: "job is not running, please start job first" }];
        if (job.taskId !== report.task_id) return wrongId();
        job.status = report.ok ? "D" : "E";
        job.error ??= report.error as string | null;
        job.stored.push(body);
        return [200, { status: "success" }];
      },
    };
  }

  #updateError(job: SiteJob, type: string | undefined, body: string) {
    const report = json(type, body);
    if (report === undefined || Object.keys(report).sort().join() !== "error,task_id") return undefined;
    return {
      call: "update_job_error",
      job,
      act: (): Answer => {
        if (job.taskId !== report.task_id) return wrongId();
        job.error = report.error as string;
        return [200, { status: "success", job: job.id }];
      },
    };
  }

  #pause(what: string, worker: string) {
    const call = `${what}_consuming`;
    return {
      call,
      act: async (): Promise<Answer> => {
        await this.onPause(what === "stop" ? "cancel_consumer" : "add_consumer", this.queue.name, worker);
        return [200, null];
      },
    };
  }
}

const wrongId = (): Answer => [401, { status: "failed", reason: "incorrect task_id" }];

function json(type: string | undefined, body: string): Record<string, unknown> | undefined {
  if (type !== "application/json") return undefined;
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
