/**
 * One job from its message to its end. Everything that may be done twice is done by the journal's word: a report that is there
 * is told and never made again, and a job that the site has stored the result of needs no call at all.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { type ErrorCode, LanistaError } from "@lanista/api/errors";
import type { Logger } from "pino";
import { pause } from "../worker/backoff.ts";
import { type GradeBundles, nobodys, type SiteGrade } from "./grader.ts";
import { Journal, type Told } from "./journal.ts";
import { patiently } from "./patience.ts";
import type { Report } from "./report.ts";
import type { Site, StartedJob } from "./site.ts";
import type { TaskMessage } from "./task-message.ts";

export type JobEnd =
  /** The site has it. */
  | { readonly kind: "stored"; readonly report: Report }
  /** For the broker to hand out again. */
  | { readonly kind: "again"; readonly why: string }
  /** Nothing that could be done about it. */
  | { readonly kind: "refused"; readonly why: string }
  | { readonly kind: "revoked"; readonly why: string };

export interface JobTools {
  readonly site: Site;
  readonly journal: Journal;
  readonly grade: GradeBundles;
  /** `name@host`. */
  readonly worker: string;
  /** A folder of its own for each job is made in it. */
  readonly tempDir: string;
  readonly bounds?: JobBounds;
}

/** In seconds. */
export interface JobBounds {
  /** The site stores the message's id some moments after the message is out. */
  readonly race: number;
  /** How long a site that is away is waited for, at each call. */
  readonly away: number;
}

const BOUNDS: JobBounds = { race: 120, away: 600 };
const MOST_BEGUN = 20;
const MOST_FAULTS = 3;
const FAULT_PAUSE_MS = 2000;
const PERMANENT: ReadonlySet<ErrorCode> = new Set(["conflict", "not_found", "invalid", "forbidden", "too_large"]);
const MOST_ZIP_BYTES = 256 * 1024 * 1024;

export interface JobStops {
  /** The worker ends: the job is given back. */
  readonly stop: AbortSignal;
  /** Its people have ended this job: it is over, unless it has its result already. */
  readonly terminated: AbortSignal;
}

export async function runJob(tools: JobTools, message: TaskMessage, log: Logger, stops: JobStops): Promise<JobEnd> {
  const { journal } = tools;
  const { stop: signal, terminated } = stops;
  const key = Journal.key(message.jobId, message.taskId);
  let terminating = false;
  try {
    const before = await journal.report(key);
    if (before !== undefined && (await journal.isStored(key))) return { kind: "stored", report: before.report };
    const told =
      before ??
      (await made(tools, key, message, log, stops).catch(async (error: unknown) => {
        if (!terminated.aborted || signal.aborted) throw error;
        terminating = true;
        log.warn("terminated by remote control");
        return await journal.keep(key, { task_id: message.taskId, ...nobodys("It was ended by the site's people.") });
      }));
    const end = await tell(tools, key, message, told, log, signal);
    return terminating ? { kind: "revoked", why: "terminated" } : end;
  } catch (error) {
    if (!(error instanceof LanistaError)) {
      // Of the disk, as a rule. Not at once again.
      log.error({ err: error }, "given back to the broker: a fault of ours");
      await pause(FAULT_PAUSE_MS, signal);
      return { kind: "again", why: (error as Error).message };
    }
    const { code, message: why, hint } = error;
    if (PERMANENT.has(code)) {
      log.error(`dropped: ${why}${hint && code === "forbidden" ? ` (${hint})` : ""}`);
      return { kind: "refused", why };
    }
    if (code !== "cancelled") log.error(`given back to the broker: ${why}`);
    return { kind: "again", why };
  }
}

async function made(
  tools: JobTools,
  key: string,
  message: TaskMessage,
  log: Logger,
  { stop, terminated }: JobStops,
): Promise<Told> {
  const { site, journal, worker } = tools;
  const { jobId, taskId } = message;
  const signal = AbortSignal.any([stop, terminated]);
  // What it takes before it runs may be tried for long without its having begun.
  const started = await patiently(
    { codes: ["conflict", "not_found"], seconds: (tools.bounds ?? BOUNDS).race, signal, log },
    // A call that is under way is heard out: broken off, it could start at the site what is ended here already.
    () => patiently(away(tools, log, signal), () => site.startJob(jobId, taskId, worker, stop)),
  );
  const begun = await journal.count(key, "begun");
  log.info({ task: started.task, submission: started.submission, ...(begun > 1 && { begun }) }, "started");
  if (begun > MOST_BEGUN)
    return await journal.keep(key, {
      task_id: taskId,
      ...nobodys(`It was begun ${MOST_BEGUN} times and never ended.`),
    });
  const grade = await graded(tools, started, log, signal);
  if (grade.kind === "graded") return await journal.keep(key, { task_id: taskId, ...grade.site });
  const faults = await journal.count(key, "faults");
  log.error({ faults }, `a fault of ours: ${grade.why}`);
  if (faults >= MOST_FAULTS) return await journal.keep(key, { task_id: taskId, ...nobodys(grade.why) });
  await pause(FAULT_PAUSE_MS * 3 ** (faults - 1), signal);
  throw new LanistaError("aborted", grade.why);
}

async function graded(tools: JobTools, started: StartedJob, log: Logger, signal: AbortSignal): Promise<SiteGrade> {
  const { site } = tools;
  const folder = await mkdtemp(join(tools.tempDir, "job-"));
  try {
    const [grader, agent] = [join(folder, "grader.zip"), join(folder, "agent.zip")];
    const task = await patiently(away(tools, log, signal), async () => {
      const found = await site.task(started.task, signal);
      await site.grader(started.task, grader, MOST_ZIP_BYTES, signal);
      await site.agent(started.submission, agent, MOST_ZIP_BYTES, signal);
      return found;
    });
    const limits = { ramMiB: task.ram_limit, vramMiB: task.vram_limit, seconds: task.run_time_limit };
    return await tools.grade({ grader, agent, limits, log, signal });
  } catch (error) {
    if (signal.aborted) throw new LanistaError("cancelled", "the job was stopped", { cause: error });
    // Started as it is, the job would run for ever at the site.
    if (error instanceof LanistaError && PERMANENT.has(error.code))
      return { kind: "graded", site: nobodys(error.message) };
    if (error instanceof LanistaError && error.code === "unavailable") throw error;
    log.error({ err: error }, "grading failed");
    return { kind: "ours", why: (error as Error).message };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function tell(
  tools: JobTools,
  key: string,
  { jobId, taskId }: TaskMessage,
  { bytes, report }: Told,
  log: Logger,
  signal: AbortSignal,
): Promise<JobEnd> {
  const { site, journal } = tools;
  try {
    const answer = await patiently(away(tools, log, signal), () => site.submitJob(jobId, bytes, signal));
    // Without it the same would be told once more, which does no harm.
    await journal.stored(key).catch((error: Error) => log.warn(`the journal: ${error.message}`));
    log.info({ ok: report.ok, error: report.error }, answer === "over" ? "the site had it already" : "stored");
    return { kind: "stored", report };
  } catch (error) {
    // Refused for what is in it: then the site shall at least know how it went.
    if (error instanceof LanistaError && error.code === "invalid" && report.error !== null)
      await site.updateJobError(jobId, taskId, report.error, signal).catch(() => {});
    throw error;
  }
}

const away = ({ bounds = BOUNDS }: JobTools, log: Logger, signal: AbortSignal) =>
  ({ codes: ["unavailable", "unauthenticated"], seconds: bounds.away, signal, log }) as const;
