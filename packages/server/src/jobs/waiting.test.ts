import { create } from "@bufbuild/protobuf";
import { HeartbeatRequestSchema } from "@lanista/api/gen/lanista/v1/workers_pb";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { heartbeat } from "./heartbeat.ts";
import { type Bench, bench } from "./testing.ts";
import { whyWaiting } from "./waiting.ts";
import { ownWorker } from "./workers.ts";

const GIB = 2 ** 30;
let at: Bench;
beforeAll(async () => {
  at = await bench();
});
afterAll(() => at.close());
beforeEach(async () => {
  await at.app.database.pool.query("TRUNCATE jobs, attempts, job_output, told, queue_clocks CASCADE");
  await at.app.database.pool.query("DELETE FROM workers");
});

const why = async (id: string) => await whyWaiting(at.app, at.app.db, await at.row(id));

test("a job that needs more than is free waits for it, and says what is short; what fits is ready", async () => {
  const worker = await at.worker({ name: "lab-1" });
  const large = { needs: { memoryBytes: 700 * GIB } };
  const first = await at.enqueue(large);
  expect(await why(first.id)).toMatchObject({ reason: "ready" });
  expect(await worker.claim()).toHaveLength(1);
  const second = await at.enqueue(large);
  const small = await at.enqueue({ needs: { memoryBytes: GIB, cpus: 2 } });
  expect(await why(second.id)).toMatchObject({
    reason: "workers_busy",
    detail: `no worker has enough free for it: lab-1 has ${324 * 1024} MiB of the ${700 * 1024} MiB of memory`,
  });
  expect(await why(small.id)).toMatchObject({ reason: "ready" });
  // Others' programs have the rest.
  await heartbeat(
    at.app,
    await ownWorker(at.app.db, worker.caller, worker.id),
    create(HeartbeatRequestSchema, { workerId: worker.id, free: { cpus: 1, memoryBytes: BigInt(GIB / 2) } }),
  );
  expect(await why(small.id)).toMatchObject({
    reason: "workers_busy",
    detail: expect.stringContaining("1 of the 2 CPUs, 512 MiB of the 1024 MiB of memory"),
  });
  const other = await at.worker();
  expect(await why(small.id)).toMatchObject({ reason: "ready" });
  expect(other.id).not.toBe(worker.id);
});

test("a job that needs more than any worker has says that there is none", async () => {
  await at.worker();
  const { id } = await at.enqueue({ needs: { gpus: 1 } });
  expect(await why(id)).toMatchObject({ reason: "no_worker", detail: expect.stringContaining("1 GPUs") });
});
