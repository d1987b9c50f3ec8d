/**
 * Whether a whole set-up works, step by step, as a member of staff needs to know before a course depends on it: the site takes the
 * token, the sandboxes start, and a bundle goes through the configured broker, a worker like the real one, the sandboxes and to a
 * stand-in for the site. The broker gets a queue of the test's own, so no job of anybody's is touched; the site is only asked
 * for its queue.
 */
import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { LanistaError } from "@lanista/api/errors";
import { ReleaseStack } from "../release-stack.ts";
import type { GradeBundles } from "./grader.ts";
import type { Report } from "./report.ts";
import { openTestQueue } from "./self-test-broker.ts";
import { SELF_TEST_RESULT, writeSelfTestBundle } from "./self-test-bundle.ts";
import { SelfTestSite } from "./self-test-site.ts";
import { Site } from "./site.ts";
import { openTempFolder } from "./temp-folder.ts";
import { type AivleWorkerOptions, startAivleWorker } from "./worker.ts";

export interface Step {
  readonly name: string;
  readonly ok: boolean;
  /** What was seen, or what is wrong. */
  readonly detail: string;
}

export interface SelfTestOptions extends AivleWorkerOptions {
  readonly grade: GradeBundles;
  /** Zips of one's own, both or neither. */
  readonly zips?: { readonly grader: string; readonly agent: string };
  readonly onStep: (step: Step) => void;
}

const LIMITS = { ram_limit: 512, vram_limit: 0, run_time_limit: 60 };
const OWN_LIMITS = { ...LIMITS, ram_limit: 4096, run_time_limit: 600 };
const CONNECT_SECONDS = 60;
/** With zips of one's own packages may have to be built. */
const GRADE_SECONDS = 900;

/** Whether every step went well. The steps after one that went wrong, and that need it, are left out. */
export async function selfTest(options: SelfTestOptions, signal: AbortSignal): Promise<boolean> {
  const { settings, onStep } = options;
  let good = true;
  const step = async (name: string, work: () => Promise<string>): Promise<boolean> => {
    try {
      onStep({ name, ok: true, detail: await work() });
      return true;
    } catch (error) {
      signal.throwIfAborted();
      good = false;
      const { message } = error as Error;
      const hint = error instanceof LanistaError && error.hint !== "" ? ` (${error.hint})` : "";
      onStep({ name, ok: false, detail: message + hint });
      return false;
    }
  };
  await step("the site takes the token, and has the queue", () => askSite(options, signal));
  const releases = new ReleaseStack((what, error) => options.log.warn(`${what}: ${(error as Error).message}`));
  try {
    const folder = await openTempFolder(settings.tempDir);
    releases.add("the test's folder", () => rm(folder, { recursive: true, force: true }));
    const zips = options.zips ?? (await writeSelfTestBundle(folder));
    const queue = `lanista-self-test-${randomBytes(6).toString("hex")}`;
    const token = randomBytes(20).toString("hex");
    const limits = options.zips === undefined ? LIMITS : OWN_LIMITS;
    const site = new SelfTestSite({ token, queue, ...zips, limits });
    const apiBaseUrl = await site.start();
    releases.add("the stand-in site", () => site.close());
    const region = options.env.AWS_REGION || options.env.AWS_DEFAULT_REGION || "us-east-1";
    let broker: Awaited<ReturnType<typeof openTestQueue>> | undefined;
    await step("the broker takes a queue and a task", async () => {
      broker = await openTestQueue(settings.broker, queue, region);
      releases.add("the test's queue", () => broker?.remove());
      return `task ${await broker.publish()} in ${queue}`;
    });
    if (broker === undefined) return false;
    const [name, host] = settings.fullName.split("@");
    const own = { apiBaseUrl, queue, accessToken: token, journalDir: join(folder, "journal"), concurrency: 1 };
    const worker = await startAivleWorker(
      { ...options, settings: { ...settings, ...own, fullName: `${name}-self-test@${host}` } },
      signal,
    );
    releases.add("the worker", () => worker.stop());
    const taken = await step("a worker takes the task from the broker", async () => {
      await within(site.started, CONNECT_SECONDS, signal);
      return "and started it at a stand-in for the site";
    });
    if (!taken) return false;
    await step("the bundle is graded in sandboxes, and the site is told", async () =>
      told(await within(site.report, GRADE_SECONDS, signal), options.zips === undefined),
    );
    await step("the broker is told", async () => {
      await worker.drain(30);
      if (!(await broker!.settled())) throw new Error("the message is still there: it was not acknowledged");
      return "its message is acknowledged";
    });
  } finally {
    await releases.release();
  }
  return good;
}

async function askSite({ settings }: SelfTestOptions, signal: AbortSignal): Promise<string> {
  const site = new Site(settings.apiBaseUrl, settings.accessToken);
  try {
    const queue = await site.queue(settings.queue, signal);
    if (queue === undefined) throw new Error(`it shows no queue "${settings.queue}" to this token (TASK_QUEUE)`);
    const { cpu_required: cpu, ram_required: ram, vram_required: vram } = queue;
    return `queue ${queue.name}: ${cpu} % of the CPUs, ${ram} MiB, ${vram} MiB of GPU memory are to be free`;
  } finally {
    await site.close();
  }
}

function told({ ok, error, result, raw_log: log }: Report, builtIn: boolean): string {
  const last = log.trim().split("\n").slice(-5).join(" | ");
  if (!ok) throw new Error(`it ended with ${error ?? "a fault that is nobody's"}: ${last}`);
  if (builtIn && !result?.includes(SELF_TEST_RESULT)) throw new Error(`another result than it must be: ${result}`);
  return builtIn ? SELF_TEST_RESULT : `the result line has ${result?.length} characters`;
}

async function within<T>(work: Promise<T>, seconds: number, signal: AbortSignal): Promise<T> {
  const over = new AbortController();
  const late = sleep(seconds * 1000, undefined, { signal: AbortSignal.any([signal, over.signal]) }).then(() => {
    throw new Error(`nothing within ${seconds} seconds`);
  });
  late.catch(() => {});
  try {
    return await Promise.race([work, late]);
  } finally {
    over.abort();
  }
}
