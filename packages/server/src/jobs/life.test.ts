import { create } from "@bufbuild/protobuf";
import { OutcomeKind } from "@lanista/api/gen/lanista/v1/common_pb";
import { HeartbeatRequestSchema } from "@lanista/api/gen/lanista/v1/workers_pb";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { WORKER_STOPPED } from "./bounds.ts";
import { cancelJob, reviveJob } from "./cancel.ts";
import { claim } from "./claim.ts";
import { enqueue } from "./enqueue.ts";
import { backoffSeconds } from "./finish.ts";
import { heartbeat, lostLately } from "./heartbeat.ts";
import type { JobKind, JobRow } from "./kinds.ts";
import { matchKind } from "./match-kind.ts";
import { report } from "./report.ts";
import { sweep } from "./sweep.ts";
import { type Bench, bench, reportOf, type TestWorker } from "./testing.ts";
import { ownWorker } from "./workers.ts";

let at: Bench;
let worker: TestWorker;
beforeAll(async () => {
  at = await bench();
});
afterAll(() => at.close());
beforeEach(async () => {
  await at.app.database.pool.query("TRUNCATE jobs, attempts, job_output, told, queue_clocks CASCADE");
  await at.app.database.pool.query("DELETE FROM workers");
  worker = await at.worker();
});
afterEach(() => vi.useRealTimers());

const ACCEPTED = { accepted: true, reason: "" };
const STALE = { accepted: false, reason: "stale" };

async function running(request: Parameters<Bench["enqueue"]>[0] = {}): Promise<JobRow> {
  const { id } = await at.enqueue(request);
  const job = (await worker.claim(10)).find((one) => one.id === id);
  if (job === undefined) throw new Error("the job was not given");
  return job;
}
/** Its pause is over. */
async function again(id: string, by: TestWorker = worker): Promise<JobRow> {
  await at.lapse(id, "not_before");
  await at.app.database.pool.query("UPDATE jobs SET not_before = now() - interval '1 hour' WHERE id = $1", [id]);
  await sweep(at.app);
  const [job] = await by.claim(1);
  expect(job?.id).toBe(id);
  return job!;
}
const beat = async (by: TestWorker, jobs: readonly { id: string; fence: number }[]) =>
  await heartbeat(
    at.app,
    await ownWorker(at.app.db, by.caller, by.id),
    create(HeartbeatRequestSchema, {
      workerId: by.id,
      running: jobs.map(({ id, fence }) => ({ jobId: id, fence: BigInt(fence) })),
    }),
  );
const cancel = (id: string) => at.app.db.transaction().execute((tx) => cancelJob(at.app, tx, id, "no longer wanted"));

describe("reports", () => {
  test("end a job once; the same again is accepted again and changes nothing; another one is stale", async () => {
    const job = await running();
    expect(await report(at.app, worker.id, reportOf(job))).toEqual(ACCEPTED);
    const ended = await at.row(job.id);
    expect(ended).toMatchObject({ state: "ended", outcome: { kind: "completed" }, worker_id: null, lease_until: null });
    expect(await report(at.app, worker.id, reportOf(job))).toEqual(ACCEPTED);
    expect(await report(at.app, worker.id, reportOf(job, OutcomeKind.AGENT_FAULT))).toEqual(STALE);
    expect(await at.row(job.id)).toEqual(ended);
    expect(await at.told(job.id)).toEqual(["started", "completed"]);
  });

  test("twenty of the same at once: all accepted, one effect", async () => {
    const job = await running();
    const answers = await Promise.all(Array.from({ length: 20 }, () => report(at.app, worker.id, reportOf(job))));
    expect(answers).toEqual(Array.from({ length: 20 }, () => ACCEPTED));
    expect(await at.told(job.id)).toEqual(["started", "completed"]);
  });

  test("of another worker, of another fence, of no job: refused, and the job goes on", async () => {
    const job = await running();
    const other = await at.worker();
    expect(await report(at.app, other.id, reportOf(job))).toEqual({ accepted: false, reason: "unknown" });
    expect((await report(at.app, worker.id, reportOf({ ...job, fence: 7 }))).accepted).toBe(false);
    const nowhere = reportOf({ ...job, id: "01900000-0000-7000-8000-000000000000" });
    expect(await report(at.app, worker.id, nowhere)).toEqual({ accepted: false, reason: "unknown" });
    expect(await at.row(job.id)).toMatchObject({ state: "running", fence: job.fence });
  });

  test("after the lease was lost are stale, also when the job runs again, also on the same worker", async () => {
    const first = await running();
    await at.lapse(first.id, "lease_until");
    await sweep(at.app);
    expect(await report(at.app, worker.id, reportOf(first))).toEqual(STALE);
    const second = await again(first.id);
    expect(second).toMatchObject({ fence: first.fence + 1, attempt: 2 });
    expect(await report(at.app, worker.id, reportOf(first))).toEqual(STALE);
    expect(await report(at.app, worker.id, reportOf(second))).toEqual(ACCEPTED);
    expect(await report(at.app, worker.id, reportOf(first))).toEqual(STALE);
    expect(await at.told(first.id)).toEqual(["started", "revived", "started", "completed"]);
  });

  test.each([
    ["no JSON", { resultJson: "{" }],
    ["not what the kind wants", { resultJson: '{"score": 1}' }],
    ["deep nesting", { resultJson: "[".repeat(100_000) }],
  ])("with a result that is %s are a fault of ours of that attempt", async (_, more) => {
    const job = await running();
    const said = reportOf(job, OutcomeKind.COMPLETED, more);
    expect(await report(at.app, worker.id, said)).toEqual(ACCEPTED);
    expect(await report(at.app, worker.id, said)).toEqual(ACCEPTED);
    expect(await at.row(job.id)).toMatchObject({ state: "waiting", attempt: 1, outcome: null });
    const [attempt] = await at.app.db.selectFrom("attempts").selectAll().execute();
    expect(attempt?.outcome).toMatchObject({ kind: "infra_fault", fault: "invalid_report" });
  });

  test("of a worker that cancelled of itself are a fault of ours", async () => {
    const job = await running();
    expect(await report(at.app, worker.id, reportOf(job, OutcomeKind.CANCELLED))).toEqual(ACCEPTED);
    expect(await at.row(job.id)).toMatchObject({ state: "waiting" });
    expect(await at.told(job.id)).toEqual(["started", "revived"]);
  });

  test("with text that PostgreSQL cannot hold are taken all the same", async () => {
    const job = await running();
    const outcome = { kind: OutcomeKind.AGENT_FAULT, seats: [0], fault: "a\0b", detail: "\0".repeat(5000) };
    expect(await report(at.app, worker.id, reportOf(job, OutcomeKind.AGENT_FAULT, { outcome }))).toEqual(ACCEPTED);
    expect((await at.row(job.id)).outcome).toMatchObject({ kind: "agent_fault", seats: [0], fault: "a\uFFFDb" });
  });

  test("that the kind cannot take in are a fault of ours, not an exception and not the job's end", async () => {
    const job = await running();
    const kinds = new Map<string, JobKind>([
      ["noop", { ...at.app.kinds.get("noop")!, ended: () => Promise.reject(new Error("a replay that is none")) }],
    ]);
    expect(await report({ ...at.app, kinds }, worker.id, reportOf(job))).toEqual(ACCEPTED);
    expect(await at.row(job.id)).toMatchObject({ state: "waiting", held: true });
  });
});

describe("faults of ours", () => {
  const faulty = async (job: JobRow, seats: number[] = [], fault = "box") =>
    await report(
      at.app,
      worker.id,
      reportOf(job, OutcomeKind.INFRA_FAULT, { outcome: { kind: OutcomeKind.INFRA_FAULT, seats, fault } }),
    );

  test("are tried again after a growing pause, up to the last attempt; then the job is dead", async () => {
    let job = await running({ maxAttempts: 3 });
    for (const attempt of [1, 2]) {
      await faulty(job);
      const waiting = await at.row(job.id);
      expect(waiting).toMatchObject({ state: "waiting", held: true, attempt });
      const pause = (waiting.not_before.getTime() - Date.now()) / 1000;
      expect(pause).toBeGreaterThan(2 ** attempt / 2 - 1);
      expect(pause).toBeLessThan(2 ** attempt + 1);
      expect(await worker.claim()).toEqual([]);
      job = await again(job.id);
    }
    await faulty(job);
    expect(await at.row(job.id)).toMatchObject({ state: "dead", outcome: { kind: "infra_fault", fault: "box" } });
    expect(await at.told(job.id)).toEqual(["started", "revived", "started", "revived", "started", "dead"]);
  });

  test("that follow one seat around name it for a person; those that do not name nobody", async () => {
    for (const [seats, named] of [
      [[[1], [1], [1]], [1]],
      [[[1], [0], [1]], undefined],
      [[[1], [], [1]], undefined],
    ] as const) {
      let job = await running({ maxAttempts: 3 });
      for (const [i, each] of seats.entries()) {
        await faulty(job, [...each]);
        if (i < 2) job = await again(job.id);
      }
      const { outcome } = await at.row(job.id);
      expect(outcome?.kind).toBe("infra_fault");
      expect(outcome?.seats).toEqual(named);
    }
  });

  test("of a worker that was told to stop use up no attempt and cost no pause", async () => {
    const job = await running({ maxAttempts: 1 });
    await faulty(job, [], WORKER_STOPPED);
    expect(await at.row(job.id)).toMatchObject({ state: "waiting", held: false, max_attempts: 2 });
    const [next] = await worker.claim();
    expect(next).toMatchObject({ id: job.id, attempt: 2 });
  });

  test("a dead job that a person puts back has new attempts and can end", async () => {
    let job = await running({ maxAttempts: 1 });
    await faulty(job);
    await expect(at.app.db.transaction().execute((tx) => cancelJob(at.app, tx, job.id, ""))).resolves.toBe(false);
    const revived = await at.app.db.transaction().execute((tx) => reviveJob(at.app, tx, job.id));
    expect(revived).toMatchObject({ state: "waiting", outcome: null, ended_at: null, max_attempts: 4 });
    await expect(at.app.db.transaction().execute((tx) => reviveJob(at.app, tx, job.id))).rejects.toMatchObject({
      code: "conflict",
    });
    [job] = (await worker.claim()) as [JobRow];
    expect(await report(at.app, worker.id, reportOf(job))).toEqual(ACCEPTED);
    expect(await at.told(job.id)).toEqual(["started", "dead", "revived", "started", "completed"]);
  });

  test("the pause doubles up to five minutes, and is drawn", () => {
    expect([1, 2, 3, 20].map((attempt) => backoffSeconds(attempt, 1))).toEqual([2, 4, 8, 300]);
    expect(backoffSeconds(1, 0)).toBe(1);
  });
});

describe("leases", () => {
  test("go on with heartbeats; without one the sweep takes the job back, whoever's server it is", async () => {
    const job = await running();
    await at.lapse(job.id, "lease_until");
    expect((await beat(worker, [job])).lost).toEqual([]);
    expect(await sweep(at.app)).toBe(0);
    await at.lapse(job.id, "lease_until");
    const moved = await Promise.all(Array.from({ length: 8 }, () => sweep(at.app)));
    expect(moved.reduce((sum, one) => sum + one)).toBe(1);
    expect((await beat(worker, [job])).lost).toEqual([{ jobId: job.id, fence: 1, reason: "lease_lost" }]);
    expect(await lostLately(at.app, worker.id)).toEqual([{ jobId: job.id, fence: 1 }]);
    expect(await at.told(job.id)).toEqual(["started", "revived"]);
  });

  test("of another worker are not prolonged", async () => {
    const job = await running();
    const other = await at.worker();
    await at.lapse(job.id, "lease_until");
    expect((await beat(other, [job])).lost).toHaveLength(1);
    expect(await sweep(at.app)).toBe(1);
  });

  test("end with the attempt's own time, however often the worker called", async () => {
    const job = await running({ timeoutSeconds: 5 });
    expect(job.attempt_until!.getTime() - Date.now()).toBeGreaterThan(30_000);
    await at.lapse(job.id, "attempt_until");
    expect((await beat(worker, [job])).lost).toHaveLength(1);
    await sweep(at.app);
    const [attempt] = await at.app.db.selectFrom("attempts").selectAll().execute();
    expect(attempt?.outcome).toMatchObject({ kind: "infra_fault", fault: "attempt_timeout" });
  });

  test("do not mind a server whose clock is wrong", async () => {
    const job = await running();
    for (const wrong of [Date.now() - 86_400_000, Date.now() + 86_400_000]) {
      vi.useFakeTimers({ now: wrong, toFake: ["Date"] });
      expect(await sweep(at.app)).toBe(0);
      expect((await beat(worker, [job])).lost).toEqual([]);
      vi.useRealTimers();
    }
    const { lease_until: until } = await at.row(job.id);
    expect(Math.abs(until!.getTime() - Date.now() - 30_000)).toBeLessThan(10_000);
  });

  test("do not last longer because the database's clock was set back", async () => {
    const job = await running();
    const { id: paused } = await at.enqueue();
    await at.app.database.pool.query(
      `UPDATE jobs SET lease_until = now() + interval '1 day', attempt_until = now() + interval '1 day' WHERE id = $1`,
      [job.id],
    );
    await at.app.database.pool.query(
      "UPDATE jobs SET held = true, not_before = now() + interval '1 day' WHERE id = $1",
      [paused],
    );
    await sweep(at.app);
    await sweep(at.app);
    const row = await at.row(job.id);
    expect(row.lease_until!.getTime() - Date.now()).toBeLessThan(31_000);
    expect(row.attempt_until!.getTime() - Date.now()).toBeLessThan(91_000);
    expect((await at.row(paused)).held).toBe(false);
  });
});

test("a job that waited too long ends as a fault of ours, and is told once", async () => {
  const { id } = await at.enqueue({ tier: "nowhere", waitSeconds: 100 });
  expect(await sweep(at.app)).toBe(0);
  await at.lapse(id, "wait_until");
  const moved = await Promise.all([sweep(at.app), sweep(at.app)]);
  expect(moved.reduce((sum, one) => sum + one)).toBe(1);
  expect(await at.row(id)).toMatchObject({ state: "ended", outcome: { kind: "infra_fault", fault: "wait_timeout" } });
  expect(await at.told(id)).toEqual(["infra_fault"]);
});

test("a kind that cannot take a lost attempt in does not keep the job running for ever", async () => {
  const job = await running({ maxAttempts: 1 });
  await at.lapse(job.id, "lease_until");
  const failing = { ...at.app.kinds.get("noop")!, ended: () => Promise.reject(new Error("no")) };
  await sweep({ ...at.app, kinds: new Map([["noop", failing]]) });
  expect(await at.row(job.id)).toMatchObject({ state: "dead" });
});

describe("an end that its kind cannot take", () => {
  const throws = () => Promise.reject(new Error("no"));
  const PAYLOAD = {
    env: "connect-four",
    options: {},
    seed: "1",
    episodes: 1,
    onFault: "forfeit",
    forfeitAfter: 0,
    maxSteps: 0,
    tier: "container",
    limits: {},
    actSeconds: 5,
    startSeconds: 5,
    matchSeconds: 60,
    seats: [{ name: "one" }, { name: "other" }],
    live: false,
  };

  /** A match that runs, on a server where the end of none can be told. */
  async function match(broken: Partial<JobKind>): Promise<{ app: Bench["app"]; job: JobRow; id: string }> {
    const kind = { ...(matchKind as unknown as JobKind), ended: throws, ...broken };
    const app = { ...at.app, kinds: new Map([["match", kind]]) };
    const id = crypto.randomUUID();
    await app.db.transaction().execute(async (tx) => {
      const job = await enqueue(app, tx, { kind: "match", payload: PAYLOAD, timeoutSeconds: 60, maxAttempts: 1 });
      const env = { env: "connect-four", options: "{}", seed: "1" };
      await tx
        .insertInto("matches")
        .values({ id, job_id: job.id, reason: "ladder", ...env })
        .execute();
    });
    const [job] = await claim(app, { ...worker, kinds: ["match"] }, 1, {});
    expect(await stateOf(id)).toMatchObject({ state: "running" });
    return { app, job: job!, id };
  }
  const stateOf = (id: string) =>
    at.app.db.selectFrom("matches").select(["state", "outcome"]).where("id", "=", id).executeTakeFirstOrThrow();

  test("ends the match as well: dead by the sweep, cancelled by a person", async () => {
    const lost = await match({});
    await at.lapse(lost.job.id, "lease_until");
    await sweep(lost.app);
    expect(await at.row(lost.job.id)).toMatchObject({ state: "dead" });
    expect(await stateOf(lost.id)).toMatchObject({ state: "dead", outcome: { kind: "infra_fault" } });
    const unwanted = await match({});
    await at.app.db.transaction().execute((tx) => cancelJob(unwanted.app, tx, unwanted.job.id, "no"));
    expect(await at.row(unwanted.job.id)).toMatchObject({ state: "ended" });
    expect(await stateOf(unwanted.id)).toMatchObject({ state: "ended", outcome: { kind: "cancelled" } });
  });

  test("ends the job also where not even the least can be written", async () => {
    const { app, job } = await match({ closed: throws });
    await at.lapse(job.id, "lease_until");
    await sweep(app);
    expect(await at.row(job.id)).toMatchObject({ state: "dead" });
  });
});

describe("a cancel", () => {
  test("of a waiting job: it never starts", async () => {
    const { id } = await at.enqueue();
    expect(await cancel(id)).toBe(true);
    expect(await cancel(id)).toBe(false);
    expect(await worker.claim()).toEqual([]);
    expect(await at.told(id)).toEqual(["cancelled"]);
  });

  test("of a running one: over at once, its worker told, its word refused", async () => {
    const heard = vi.fn();
    const unsubscribe = at.app.events.subscribe(`worker:${worker.id}`, heard);
    const job = await running();
    expect(await cancel(job.id)).toBe(true);
    expect(await at.row(job.id)).toMatchObject({
      state: "ended",
      fence: job.fence + 1,
      outcome: { kind: "cancelled" },
    });
    await expect.poll(() => heard.mock.calls.length).toBeGreaterThan(0);
    unsubscribe();
    expect(await lostLately(at.app, worker.id)).toEqual([{ jobId: job.id, fence: job.fence }]);
    expect((await beat(worker, [job])).lost).toEqual([{ jobId: job.id, fence: job.fence, reason: "cancelled" }]);
    expect(await report(at.app, worker.id, reportOf(job))).toEqual(STALE);
    expect(await at.told(job.id)).toEqual(["started", "cancelled"]);
  });

  test("between two attempts, and after the end", async () => {
    const job = await running();
    await at.lapse(job.id, "lease_until");
    await sweep(at.app);
    expect(await cancel(job.id)).toBe(true);
    expect(await at.row(job.id)).toMatchObject({ state: "ended", held: false });
    const other = await running();
    await report(at.app, worker.id, reportOf(other));
    expect(await cancel(other.id)).toBe(false);
    expect((await at.row(other.id)).outcome).toEqual({ kind: "completed" });
  });

  test("at the same moment as the report, the claim or the sweep: one end, whichever it is", async () => {
    for (let round = 0; round < 20; round++) {
      const job = await running();
      if (round % 2 === 0) await at.lapse(job.id, "lease_until");
      await Promise.all([cancel(job.id), report(at.app, worker.id, reportOf(job)), sweep(at.app), cancel(job.id)]);
      const ends = (await at.told(job.id)).filter((what) => what !== "started" && what !== "revived");
      expect(ends).toHaveLength(1);
      expect((await at.row(job.id)).state).toBe("ended");
      const { id } = await at.enqueue();
      const [, [claimed]] = await Promise.all([cancel(id), worker.claim()]);
      expect((await at.row(id)).outcome?.kind).toBe("cancelled");
      if (claimed !== undefined) expect(await report(at.app, worker.id, reportOf(claimed))).toEqual(STALE);
    }
  });
});
