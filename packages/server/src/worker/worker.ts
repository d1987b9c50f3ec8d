/**
 * Theory of operation: the worker.
 *
 *   server <── Attend ──────── attendance.ts   what this worker is; down it come: wake up, cancel, drain
 *          <── Lease ───────── leases.ts       as many jobs as there are free places
 *          <── Heartbeat ───── heartbeats.ts   prolongs leases; logs and moves; hears what is lost
 *          <── Report ──────── reporter.ts     how runs ended, until the server has answered
 *          <── FetchBundle ─── bundle-cache.ts
 *                │
 *            jobs-at-hand.ts ── active-job.ts ── runners/: a kind of job ── sandboxes
 *
 * It holds one token and no other secret, calls one server, and is called by nobody. Each of the five goes its own way and
 * fails by itself; none waits for another. What an agent does wrong is a job's result; whatever a runner throws is a fault of
 * ours, for which the server tries the job again.
 *
 * When the server cannot be reached, runs go on, and are reported under their fence when it is back: who decides whether
 * that is too late is the server. When a lease is lost the run's boxes are killed, and nobody is told. A worker that is
 * drained takes nothing more and ends with its last report. One that is stopped kills its boxes and reports faults of ours,
 * so that the jobs are tried again at once. One that is killed takes its boxes with it; its leases end by themselves.
 *
 * Must run on the main thread: boxes die with the thread that started them.
 */
import { randomUUID } from "node:crypto";
import type { LanistaError } from "@lanista/api/errors";
import { findAbilities } from "./abilities.ts";
import { Attendance } from "./attendance.ts";
import { checkPackages } from "./check-packages.ts";
import type { Floor } from "./floors.ts";
import { GpuShelf } from "./gpu-shelf.ts";
import { Heartbeats } from "./heartbeats.ts";
import { helloOf } from "./hello.ts";
import { JobsAtHand } from "./jobs-at-hand.ts";
import { Leases } from "./leases.ts";
import { MachineWatch } from "./machine.ts";
import { planWorker, type WorkerOptions } from "./options.ts";
import { Pauses } from "./pauses.ts";
import { Reporter } from "./reporter.ts";
import { RUNNERS } from "./runners/all.ts";
import { Stopped } from "./runners/runner.ts";
import { Wire } from "./wire.ts";
import { resourcesOf } from "./wire-resources.ts";
import { Workshop } from "./workshop.ts";

/** How long a worker that is stopped waits for its last reports to be answered. */
const LAST_REPORTS_MS = 5000;
/** And for a lease that is on its way. */
const LAST_LEASE_MS = 3000;

export interface WorkerState {
  /** The server has said welcome, and the line to it stands. */
  readonly attended: boolean;
  readonly running: number;
  readonly reporting: number;
  readonly draining: boolean;
  /** Why it takes no jobs at the moment; empty where it does. */
  readonly paused: string;
  readonly sandboxes: number;
}

export interface RunningWorker {
  readonly id: string;
  /** Resolves when it has ended, rejects with a LanistaError where the server does not take its token. */
  readonly done: Promise<void>;
  state(): WorkerState;
  /** Takes no more jobs, and ends with the last of those it has. Those that are not over in time are stopped. */
  drain(seconds: number): Promise<void>;
  /** Ends at once: kills the boxes, reports their jobs as faults of ours, so that they are tried again. */
  stop(why?: string): Promise<void>;
  /** As `stop`, telling nobody: for when the server is gone for good. */
  abandon(): Promise<void>;
}

/**
 * Starts a worker; it goes on by itself until it is drained or stopped. Throws LanistaError `invalid` on options that make no
 * sense, files or GPUs that are not there, or an image in which no Python runs, SandboxError where this host has no place for sandboxes.
 */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const plan = planWorker(options);
  const id = randomUUID();
  const { log } = plan;
  if (plan.packages !== undefined) checkPackages(plan.packages);
  const abilities = await findAbilities(plan);
  for (const why of abilities.left) log.warn(`not offered: ${why}`);
  const machine = await MachineWatch.start();
  const gpus = await GpuShelf.open(plan, abilities.tiers, machine);

  const ending = new AbortController();
  let phase: "working" | "draining" | "stopping" = "working";
  let drainedByServer = false;
  let refusal: LanistaError | undefined;

  const wire = new Wire(id, { url: plan.server, token: plan.token }, log, (call, error) => {
    if (call !== "attend") attendance.again();
    else if (refusal === undefined) {
      refusal = error;
      log.error(`the server does not take this worker: ${error.message}`);
      void abandon();
    }
  });
  const workshop = await Workshop.open(plan, abilities.tiers, (run, digest) => wire.fetch(run, digest));

  const jobs: JobsAtHand = new JobsAtHand(RUNNERS, workshop, gpus, log, {
    output: () => heartbeats.wake(),
    over: () => {
      reporter.wake();
      leases.wake();
    },
    answered: () => leases.wake(),
  });
  const free = async () => ({ ...(await machine.freeBeside(jobs.needs())), ...gpus.free });
  const pauses = new Pauses(machine, { of: "this worker", keepFree: plan.keepFree }, log, () => {
    heartbeats.wake();
    leases.wake();
  });
  const takeFloors = (floors: readonly { queue: string; keepFree?: Parameters<typeof resourcesOf>[0] }[]): void =>
    void pauses.set(
      floors.map(({ queue, keepFree }): Floor => ({ of: `the queue ${queue}`, keepFree: resourcesOf(keepFree) })),
    );

  const reporter = new Reporter(jobs, wire, log);
  const leases = new Leases({
    wire,
    jobs,
    log,
    concurrency: plan.concurrency,
    open: () => attendance.welcomed && phase === "working" && !drainedByServer && pauses.open,
    free,
    onUnknown: () => attendance.again(),
  });
  const heartbeats = new Heartbeats({
    wire,
    jobs,
    health: () => workshop.health(),
    log,
    free,
    ready: () => attendance.welcomed,
    paused: () => pauses.reason,
    answered: (response) => takeFloors(response.floors),
    onUnknown: () => attendance.again(),
  });
  const attendance: Attendance = new Attendance(
    wire,
    () => helloOf(id, plan, machine, gpus, abilities),
    {
      welcome: (welcome) => {
        heartbeats.every(welcome.heartbeatSeconds);
        takeFloors(welcome.floors);
        heartbeats.wake();
        leases.wake();
      },
      wake: () => leases.wake(),
      cancel: (job) => jobs.lost(job, "cancelled"),
      drain: (drain) => {
        drainedByServer = drain;
        log.info(drain ? "the server drains this worker" : "the server lets this worker take jobs again");
        leases.wake();
      },
    },
    log,
  );

  const { signal } = ending;
  const loops = Promise.all([
    attendance.run(signal),
    leases.run(signal),
    heartbeats.run(signal),
    reporter.run(signal),
    pauses.run(signal),
  ]);
  const over = Promise.withResolvers<void>();
  // Whoever does not ask is not to be ended by it.
  over.promise.catch(() => {});

  let ended: Promise<void> | undefined;
  const end = (report: boolean): Promise<void> => {
    ended ??= (async () => {
      // A lease may be on its way: what it brings is nobody's otherwise until it ends by itself.
      await leases.settled(LAST_LEASE_MS);
      jobs.stopAll(new Stopped(report ? "worker_stopped" : "lost", "the worker was stopped"));
      await jobs.idle();
      if (report && !(await reporter.flushed(LAST_REPORTS_MS)))
        log.warn({ jobs: jobs.reporting }, "the last reports were not answered: these leases end by themselves");
      ending.abort();
      try {
        await loops;
      } finally {
        await workshop.close();
      }
      log.info("the worker has ended");
    })();
    ended.then(
      () => (refusal === undefined ? over.resolve() : over.reject(refusal)),
      (error) => over.reject(error),
    );
    return ended;
  };
  // A loop that fails is a bug of ours: better no worker than half of one.
  loops.catch((error) => {
    log.fatal({ err: error }, "the worker fails");
    jobs.stopAll(new Stopped("worker_stopped", "the worker failed"));
    over.reject(error);
    void end(false).catch(() => {});
  });
  const stopWith = (stopped: Stopped, report: boolean): Promise<void> => {
    phase = "stopping";
    jobs.stopAll(stopped);
    return end(report);
  };
  const abandon = (): Promise<void> => stopWith(new Stopped("lost", "the worker ends"), false);

  log.info(
    { id, queues: plan.queues, tiers: abilities.tiers.map(({ tier, runtime }) => `${tier}/${runtime}`) },
    "worker started",
  );
  return {
    id,
    done: over.promise,
    state: () => ({
      attended: attendance.up,
      running: jobs.running,
      reporting: jobs.reporting,
      draining: phase !== "working" || drainedByServer,
      paused: pauses.reason,
      sandboxes: workshop.host.live,
    }),
    async drain(seconds) {
      if (phase === "working") {
        phase = "draining";
        log.info({ jobs: jobs.running }, "draining: no more jobs are taken");
      }
      const timer = setTimeout(
        () => void stopWith(new Stopped("worker_stopped", "the worker was stopped"), true).catch(() => {}),
        Math.min(seconds * 1000, 2 ** 31 - 1),
      );
      try {
        await jobs.idle();
        await (ended ?? drained());
      } finally {
        clearTimeout(timer);
      }
    },
    stop: (why = "the worker was stopped") => stopWith(new Stopped("worker_stopped", why), true),
    abandon,
  };

  /** The server may be away: reports wait for it. */
  async function drained(): Promise<void> {
    await leases.settled(LAST_LEASE_MS);
    while (ended === undefined && (jobs.running > 0 || jobs.reporting > 0)) {
      await jobs.idle();
      await reporter.flushed(LAST_REPORTS_MS);
    }
    await end(true);
  }
}
