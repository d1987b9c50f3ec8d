/** What is in a report's texts must not decide how the job ends: an agent chooses some of them. */
import { setTimeout as sleep } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { OutcomeKind } from "@lanista/api/gen/lanista/v1/common_pb";
import { HeartbeatRequestSchema, JobOutputSchema } from "@lanista/api/gen/lanista/v1/workers_pb";
import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { heartbeat } from "./heartbeat.ts";
import type { JobKind, JobRow } from "./kinds.ts";
import { storeOutput } from "./output.ts";
import { matchResult, validateResult } from "./payloads.ts";
import { report } from "./report.ts";
import { sweep } from "./sweep.ts";
import { type Bench, bench, reportOf, type TestWorker } from "./testing.ts";
import { ownWorker } from "./workers.ts";

let at: Bench;
let worker: TestWorker;
let job: JobRow;
beforeAll(async () => {
  at = await bench();
  worker = await at.worker();
});
afterAll(() => at.close());
beforeEach(async () => {
  await at.app.database.pool.query("TRUNCATE jobs, attempts, job_output, told CASCADE");
  await at.enqueue();
  [job] = (await worker.claim()) as [JobRow];
});

const ACCEPTED = { accepted: true, reason: "" };

/** The job's kind takes results of another's shape. */
function withResult(result: JobKind["result"]): Bench["app"] {
  const noop = at.app.kinds.get("noop")!;
  return { ...at.app, kinds: new Map([["noop", { ...noop, result }]]) };
}

/** Until somebody waits for a lock. */
async function untilLocked(): Promise<void> {
  for (;;) {
    const { rows } = await at.app.database.pool.query(
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    );
    if (rows.length > 0) return;
    await sleep(10);
  }
}

const seat = { score: 0, rank: 1, faults: 1, digest: "", cpuSeconds: 0, peakMemoryBytes: 0 };

test.each([
  ["NUL", "a\0b", "a\uFFFDb"],
  ["half of a character", "a\ud83d", "a\uFFFD"],
])("%s in a match's result is replaced, and the loss stands", async (_name, text, kept) => {
  const result = {
    envVersion: 1,
    seats: [{ ...seat, detail: text, faultKinds: { [text]: 1 } }],
    episodes: 1,
    steps: 1,
    replayHash: "",
    timedOut: false,
    wallSeconds: 1,
    engine: "x",
    sandbox: { [text]: [{ deep: text }] },
  };
  const said = reportOf(job, OutcomeKind.AGENT_FAULT, { resultJson: JSON.stringify(result) });
  said.outcome!.seats = [0];
  said.outcome!.detail = `${"x".repeat(1999)}\u{1F600}`;
  expect(await report(withResult(matchResult), worker.id, said)).toEqual(ACCEPTED);
  const row = await at.row(job.id);
  expect(row).toMatchObject({ state: "ended", outcome: { kind: "agent_fault" } });
  expect(row.result).toMatchObject({
    seats: [{ detail: kept, faultKinds: { [kept]: 1 } }],
    sandbox: { [kept]: [{ deep: kept }] },
  });
});

test("the same in a validation's findings", async () => {
  const resultJson = JSON.stringify({ valid: false, errors: ["line 1: \0 \udc00"], warnings: [] });
  expect(await report(withResult(validateResult), worker.id, reportOf(job, undefined, { resultJson }))).toEqual(
    ACCEPTED,
  );
  expect(await at.row(job.id)).toMatchObject({
    state: "ended",
    outcome: { kind: "completed" },
    result: { errors: ["line 1: \uFFFD \uFFFD"] },
  });
});

test("output that comes while the report is taken in waits for it, and neither undoes the other", async () => {
  const { db } = at.app;
  const of = { jobId: job.id, fence: job.fence };
  const piece = (seq: bigint) => create(JobOutputSchema, { seq, piece: { case: "moves", value: "{}\n" } });
  const beat = await db.transaction().execute(async (tx) => {
    await tx.selectFrom("jobs").select("id").where("id", "=", job.id).forUpdate().execute();
    const stored = db.transaction().execute((other) => storeOutput(other, of, [piece(0n)]));
    stored.catch(() => {});
    await untilLocked();
    expect(await storeOutput(tx, of, [piece(0n), piece(1n)])).toBe(true);
    return { stored };
  });
  expect(await beat.stored).toBe(false);
});

test("a heartbeat locks several jobs in the order in which reports do", async () => {
  const first = await at.enqueue({ fairKey: "z" });
  const second = await at.enqueue({ fairKey: "a" });
  const jobs = await worker.claim(2);
  expect(first.id < second.id && jobs.length === 2).toBe(true);
  const beat = await at.app.db.transaction().execute(async (tx) => {
    const lock = (id: string) => tx.selectFrom("jobs").select("id").where("id", "=", id).forUpdate().execute();
    await lock(second.id);
    const row = await ownWorker(at.app.db, worker.caller, worker.id);
    const running = jobs.map(({ id, fence }) => ({ jobId: id, fence: BigInt(fence) }));
    const beating = heartbeat(at.app, row, create(HeartbeatRequestSchema, { workerId: worker.id, running }));
    beating.catch(() => {});
    await untilLocked();
    // Were the first the heartbeat's already, each would wait for the other.
    await sql`SET LOCAL lock_timeout = '500ms'`.execute(tx);
    await lock(first.id);
    return { beating };
  });
  expect((await beat.beating).lost).toEqual([]);
});

test("output that cannot be stored keeps neither the worker's leases nor the job's end", async () => {
  const lost = await at.enqueue();
  const [other] = (await worker.claim()) as [JobRow];
  expect(other.id).toBe(lost.id);
  await at.lapse(other.id, "attempt_until");
  await sweep(at.app);
  const output = [create(JobOutputSchema, { seq: 2n ** 63n - 1n, piece: { case: "moves", value: "{}\n" } })];
  const beat = await heartbeat(
    at.app,
    await ownWorker(at.app.db, worker.caller, worker.id),
    create(HeartbeatRequestSchema, {
      workerId: worker.id,
      running: [
        { jobId: job.id, fence: BigInt(job.fence), output },
        { jobId: other.id, fence: BigInt(other.fence) },
      ],
    }),
  );
  expect(beat.lost).toMatchObject([{ jobId: other.id }]);
  expect(await report(at.app, worker.id, reportOf(job, undefined, { output }))).toEqual(ACCEPTED);
  expect(await at.row(job.id)).toMatchObject({ state: "waiting", worker_id: null });
});

test("a job that was taken at the last moment it would wait for is tried again all the same", async () => {
  await at.lapse(job.id, "wait_until");
  await report(at.app, worker.id, reportOf(job, OutcomeKind.INFRA_FAULT));
  await at.app.database.pool.query("UPDATE jobs SET not_before = now() - interval '1 hour'");
  await sweep(at.app);
  expect(await at.row(job.id)).toMatchObject({ state: "waiting", attempt: 1, held: false });
});
