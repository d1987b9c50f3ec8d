/**
 * Theory of operation of aiVLE's worker. It serves a site that it does not know of beforehand and that does not know of it: a broker
 * hands out jobs (broker.ts), each is graded in sandboxes (grader.ts) and told to the site (job.ts), and only then is the broker told.
 * All that must survive this process is in the journal (journal.ts) or still the broker's. docs/aivle-worker.md says how it fails.
 *
 * It ends by draining: no more jobs are taken, those at hand come to their end; or by stopping: those at hand are given back.
 */
import { rm } from "node:fs/promises";
import { LanistaError } from "@lanista/api/errors";
import type { Logger } from "pino";
import { ReleaseStack } from "../release-stack.ts";
import { MachineWatch } from "../worker/machine.ts";
import { AmqpBroker } from "./amqp-broker.ts";
import { AtHand } from "./at-hand.ts";
import type { Broker, ControlledEvents } from "./broker.ts";
import type { GradeBundles } from "./grader.ts";
import { runJob } from "./job.ts";
import { Journal } from "./journal.ts";
import { journalFolder } from "./journal-folder.ts";
import { patiently } from "./patience.ts";
import type { AivleSettings } from "./settings.ts";
import { Site, type SiteQueue } from "./site.ts";
import { SqsBroker } from "./sqs-broker.ts";
import { TASK_NAME } from "./task-message.ts";
import { openTempFolder } from "./temp-folder.ts";
import { Thresholds } from "./thresholds.ts";

export interface AivleWorkerOptions {
  readonly settings: AivleSettings;
  readonly grade: GradeBundles;
  readonly log: Logger;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The version it says of itself. */
  readonly version: string;
}

export interface AivleWorker {
  /** Resolves when it has ended. */
  readonly done: Promise<void>;
  /** Takes no more jobs, and ends with the last of those it has; after so many seconds it stops. */
  drain(seconds: number): Promise<void>;
  /** Gives what is at hand back to the broker, and ends. */
  stop(): Promise<void>;
}

/** A site may be started after its workers. */
const SITE_SECONDS = 3600;
const SHUTDOWN_SECONDS = 3600;
/** As many as the setting may ask for. */
const MOST_SLOTS = 256;

/** Resolves once the site has answered; LanistaError `cancelled` where the signal is aborted before that. */
export async function startAivleWorker(options: AivleWorkerOptions, signal: AbortSignal): Promise<AivleWorker> {
  const { log } = options;
  const releases = new ReleaseStack((what, error) => log.warn(`${what}: ${(error as Error).message}`));
  try {
    return await start(options, signal, releases);
  } catch (error) {
    await releases.release();
    throw error;
  }
}

async function start(options: AivleWorkerOptions, signal: AbortSignal, releases: ReleaseStack): Promise<AivleWorker> {
  const { settings, log, grade } = options;
  const { fullName: worker, concurrency } = settings;
  const site = new Site(settings.apiBaseUrl, settings.accessToken);
  releases.add("the site", () => site.close());
  const journal = await Journal.open(journalFolder(settings.journalDir, options.env), settings.apiBaseUrl);
  const queue = await siteQueue(site, settings, log, signal);
  const machine = await MachineWatch.start();
  const tempDir = await openTempFolder(settings.tempDir);
  releases.add("the temporary folder", () => rm(tempDir, { recursive: true, force: true }));

  const serving = new AbortController();
  const working = new AbortController();
  const tools = { site, journal, grade, worker, tempDir };
  const began = performance.now();
  const atHand = new AtHand({
    slots: concurrency,
    work: (message, terminated) =>
      runJob(tools, message, log.child({ job: message.jobId, message: message.taskId }), {
        stop: working.signal,
        terminated,
      }),
    onRoom: (messages) => broker.room(messages),
  });
  const events: ControlledEvents = {
    task: (message) => atHand.take(message),
    lost: () => atHand.forget(),
    revoke: (ids, terminate) => atHand.revoke(ids, terminate),
    revoked: () => atHand.revoked,
    jobs: () => atHand.jobs,
    grow: (by) => {
      const slots = atHand.slots + by;
      if (slots < 1 || slots > MOST_SLOTS) throw new Error(`a worker has 1 to ${MOST_SLOTS} jobs at a time`);
      atHand.resize(slots);
    },
    shutdown: () => void drain(SHUTDOWN_SECONDS).catch(() => {}),
    stats: () => ({
      pid: process.pid,
      uptime: Math.round((performance.now() - began) / 1000),
      total: { [TASK_NAME]: atHand.done },
      pool: { "max-concurrency": atHand.slots, running: atHand.running },
      lanista: options.version,
    }),
  };
  const broker = await openBroker(options, events);
  releases.add("the broker", () => broker.close());

  let draining = false;
  const thresholds = new Thresholds({
    machine,
    site,
    queue,
    worker,
    log,
    controlled: broker.controlled,
    wanted: (name) => broker.wanted(name),
    pause: (paused) => broker.pause(paused || draining),
  });
  const { signal: served } = serving;
  const sweeping = setInterval(
    () => void journal.sweep().catch((error) => log.warn({ err: error }, "the journal")),
    3600_000,
  );
  sweeping.unref();
  const loops = Promise.all([broker.run(served), thresholds.run(served)]);

  const over = Promise.withResolvers<void>();
  over.promise.catch(() => {});
  let ending: Promise<void> | undefined;
  const end = (): Promise<void> => {
    ending ??= (async () => {
      await atHand.idle();
      serving.abort();
      clearInterval(sweeping);
      await loops.finally(() => releases.release());
      log.info("the worker has ended");
    })();
    ending.then(over.resolve, over.reject);
    return ending;
  };
  const hold = (): void => {
    draining = true;
    // First: what is given back would come again at once.
    broker.pause(true);
    atHand.close();
  };
  const stop = (): Promise<void> => {
    hold();
    working.abort();
    return end();
  };
  const drain = async (seconds: number): Promise<void> => {
    if (!draining) log.info({ jobs: atHand.running }, "draining: no more jobs are taken");
    hold();
    const timer = setTimeout(() => void stop().catch(() => {}), Math.min(seconds * 1000, 2 ** 31 - 1));
    await end().finally(() => clearTimeout(timer));
  };
  // A loop that fails is a bug of ours: better no worker than half of one.
  loops.catch((error) => {
    log.fatal({ err: error }, "the worker fails");
    void stop().catch(() => {});
  });
  log.info({ worker, queue: queue.name, concurrency }, "worker started");
  return { done: over.promise, drain, stop };
}

async function openBroker({ settings, env, log }: AivleWorkerOptions, events: ControlledEvents): Promise<Broker> {
  const { broker, queue, concurrency, fullName: self } = settings;
  if (broker.kind === "amqp") return new AmqpBroker({ hosts: broker.hosts, queue, concurrency, self, log }, events);
  const region = env.AWS_REGION || env.AWS_DEFAULT_REGION || "us-east-1";
  return await SqsBroker.open({ address: broker.sqs, region, queue, concurrency, log }, events);
}

async function siteQueue(site: Site, { queue }: AivleSettings, log: Logger, signal: AbortSignal): Promise<SiteQueue> {
  const found = await patiently({ codes: ["unavailable"], seconds: SITE_SECONDS, signal, log }, () =>
    site.queue(queue, signal),
  );
  if (found === undefined)
    throw new LanistaError("invalid", `the site shows no queue "${queue}" to this token`, {
      hint: "TASK_QUEUE (or --queue) must name a queue of a course whose lecturer or administrator the token is of.",
    });
  return found;
}
