import { OutcomeKind } from "@lanista/api/gen/lanista/v1/common_pb";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { cancelJob } from "./cancel.ts";
import type { JobKind, JobRow } from "./kinds.ts";
import { ReportBatches } from "./report-batches.ts";
import { type Bench, bench, reportOf, type TestWorker } from "./testing.ts";

let at: Bench;
let workers: TestWorker[];
beforeAll(async () => {
  at = await bench();
});
afterAll(() => at.close());
beforeEach(async () => {
  await at.app.database.pool.query("TRUNCATE jobs, attempts, job_output, told, queue_clocks CASCADE");
  await at.app.database.pool.query("DELETE FROM workers");
  workers = await Promise.all([at.worker(), at.worker()]);
});

const ACCEPTED = { accepted: true, reason: "" };
const STALE = { accepted: false, reason: "stale" };

async function running(count: number): Promise<JobRow[]> {
  for (let i = 0; i < count; i++) await at.enqueue();
  return [...(await workers[0]!.claim(count / 2)), ...(await workers[1]!.claim(count / 2))];
}

test("reports of all sorts at once are each answered and done as if alone", async () => {
  const jobs = await running(60);
  const cancelled = jobs[7]!;
  await at.app.db.transaction().execute((tx) => cancelJob(at.app, tx, cancelled.id, "no"));
  // Two servers, each report sent to both, and twice.
  const servers = [new ReportBatches(at.app), new ReportBatches(at.app)];
  const said = jobs.map((job, i) => reportOf(job, i % 10 === 3 ? OutcomeKind.INFRA_FAULT : OutcomeKind.COMPLETED));
  const answers = await Promise.all(
    [...said, ...said].flatMap((one, i) =>
      servers.map((server) => server.report(jobs[i % 60]!.worker_id!, one).then((answer) => ({ one, answer }))),
    ),
  );
  for (const { one, answer } of answers) expect(answer).toEqual(one.jobId === cancelled.id ? STALE : ACCEPTED);
  const others = await Promise.all(
    jobs.map((job) => servers[0]!.report(workers.find(({ id }) => id !== job.worker_id)!.id, reportOf(job))),
  );
  expect(others.every(({ accepted }) => !accepted)).toBe(true);
  for (const [i, job] of jobs.entries()) {
    const end = job.id === cancelled.id ? "cancelled" : i % 10 === 3 ? "revived" : "completed";
    expect(await at.told(job.id)).toEqual(["started", end]);
  }
});

test("one whose kind throws is tried again by itself, and keeps none of the others", async () => {
  const jobs = await running(20);
  const poisoned = jobs[5]!.id;
  const sound = at.app.kinds.get("noop")!;
  const kind: JobKind = {
    ...sound,
    ended: (app, tx, job, end) =>
      job.id === poisoned ? Promise.reject(new Error("no")) : sound.ended(app, tx, job, end),
  };
  const batches = new ReportBatches({ ...at.app, kinds: new Map([["noop", kind]]) });
  const answers = await Promise.all(jobs.map((job) => batches.report(job.worker_id!, reportOf(job))));
  expect(answers).toEqual(jobs.map(() => ACCEPTED));
  for (const job of jobs) expect((await at.row(job.id)).state).toBe(job.id === poisoned ? "waiting" : "ended");
});

test("a replay is in the store before its job has ended; one under a lost lease is not stored", async () => {
  const [job] = await running(2);
  const ended = vi.fn((..._: Parameters<JobKind["ended"]>) => Promise.resolve());
  const kinds = new Map([["noop", { ...at.app.kinds.get("noop")!, ended }]]);
  const batches = new ReportBatches({ ...at.app, kinds });
  const stale = reportOf({ ...job!, fence: 99 }, undefined, { replayGzip: Buffer.from("stale") });
  expect((await batches.report(job!.worker_id!, stale)).accepted).toBe(false);
  const stored = async (): Promise<string[]> => {
    const digests: string[] = [];
    for await (const digest of at.app.store.list()) digests.push(digest);
    return digests;
  };
  expect(await stored()).toEqual([]);
  const good = reportOf(job!, undefined, { replayGzip: Buffer.from("replay") });
  expect(await batches.report(job!.worker_id!, good)).toEqual(ACCEPTED);
  expect(await stored()).toEqual([ended.mock.calls[0]?.[3].replayBlob]);
});
