/** What an operator reads of jobs in the server's log. */
import { OutcomeKind } from "@lanista/api/gen/lanista/v1/common_pb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type LogLine, logLines } from "../testing/log-lines.ts";
import type { JobRow } from "./kinds.ts";
import { report } from "./report.ts";
import { sweep } from "./sweep.ts";
import { type Bench, bench, reportOf, type TestWorker } from "./testing.ts";

let at: Bench;
let worker: TestWorker;
beforeAll(async () => {
  at = await bench();
  worker = await at.worker();
}, 60_000);
afterAll(() => at.close());

async function running(maxAttempts: number): Promise<JobRow> {
  await at.enqueue({ maxAttempts });
  return (await worker.claim(1))[0]!;
}

/** Runs with a log of its own; gives the lines about the job, without their times. */
async function said(job: JobRow, run: (app: Bench["app"]) => Promise<unknown>): Promise<LogLine[]> {
  const { log, lines } = logLines();
  await run({ ...at.app, log });
  return lines.filter(({ jobId }) => jobId === job.id).map(({ time: _, ...rest }) => rest);
}

test("a job's end", async () => {
  const job = await running(1);
  const lines = await said(job, (app) => report(app, worker.id, reportOf(job)));
  const line = { level: 30, msg: "job ended", kind: "noop", queue: "default", attempt: 1, outcome: "completed" };
  expect(lines).toEqual([{ ...line, jobId: job.id, seconds: expect.any(Number) }]);
});

test("a lease that was lost, and the worker that lost it", async () => {
  const job = await running(3);
  await at.lapse(job.id, "lease_until");
  const lines = await said(job, sweep);
  expect(lines).toMatchObject([{ level: 40, fault: "lease_lost", attempt: 1, workerId: worker.id }]);
  expect(lines[0]!.msg).toContain("lease lost");
});

test("a job that is dead, with the last attempt's own words", async () => {
  const job = await running(1);
  const outcome = { kind: OutcomeKind.INFRA_FAULT, detail: "the disk is full" };
  const lines = await said(job, (app) => report(app, worker.id, reportOf(job, OutcomeKind.INFRA_FAULT, { outcome })));
  expect(lines.map(({ level, msg }) => [level, msg])).toEqual([
    [40, "attempt failed"],
    [40, expect.stringContaining("job is dead")],
  ]);
  for (const { detail } of lines) expect(detail).toContain("the disk is full");
});
