/** Jobs and workers over the wire: a whole server, its typed client, workers that are nothing but calls. */

import type { LanistaClient } from "@lanista/api/client";
import { fromWire } from "@lanista/api/errors";
import { OutcomeKind } from "@lanista/api/gen/lanista/v1/common_pb";
import { type Job, Job_State } from "@lanista/api/gen/lanista/v1/jobs_pb";
import type { AttendResponse, LeasedJob } from "@lanista/api/gen/lanista/v1/workers_pb";
import { makeToken } from "@lanista/server/accounts/tokens";
import { enqueue, type JobRequest } from "@lanista/server/jobs/enqueue";
import { sweep } from "@lanista/server/jobs/sweep";
import { type TestPerson, type TestServer, testServer } from "@lanista/server/testing/server";
import { v7 as uuid } from "uuid";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";

let server: TestServer;
let organiser: TestPerson;
let ann: TestPerson;
let ben: TestPerson;
let administrator: TestPerson;
const space = uuid();

beforeAll(async () => {
  server = await testServer();
  organiser = await server.person("organiser", { organiser: true });
  administrator = await server.person("administrator", { administrator: true });
  ann = await server.person("ann", { scope: "participant" });
  ben = await server.person("ben", { scope: "participant" });
  const { db } = server.database;
  await db.insertInto("spaces").values({ id: space, slug: "course", title: "Course" }).execute();
  for (const [person, role] of [
    [organiser, "organiser"],
    [ann, "participant"],
    [ben, "participant"],
  ] as const)
    await db.insertInto("members").values({ space_id: space, user_id: person.id, role }).execute();
});
afterAll(() => server.close());
beforeEach(async () => {
  await server.database.pool.query("TRUNCATE jobs, attempts, job_output, queue_clocks CASCADE");
  await server.database.pool.query("DELETE FROM workers");
});

const codeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => "ok",
    (error: unknown) => fromWire(error).code,
  );
const NOOP = { kind: "noop", payload: { seconds: 0, end: "completed" }, timeoutSeconds: 60 };
const ask = (request: Partial<JobRequest> = {}) =>
  server.app.db
    .transaction()
    .execute((tx) => enqueue(server.app, tx, { ...NOOP, spaceId: space, ownerId: ann.id, ...request }));

interface Machine {
  readonly id: string;
  readonly client: LanistaClient;
  readonly said: AttendResponse["command"][];
  heard(what: string): Promise<unknown>;
  lease(slots?: number): Promise<LeasedJob[]>;
  report(job: LeasedJob, kind?: OutcomeKind): Promise<string>;
  leave(): void;
}

async function machine(queues: string[] = [], wanted = ["default"]): Promise<Machine> {
  const token = { name: "w", scope: "worker", userId: null, createdBy: null, spaceId: null, seconds: 600 } as const;
  const { secret } = await makeToken(server.app.db, { ...token, queues });
  const client = server.client(secret);
  const id = uuid();
  const line = new AbortController();
  const said: AttendResponse["command"][] = [];
  const total = { cpus: 4, memoryBytes: 2n ** 33n };
  const hello = { workerId: id, name: `w-${id.slice(-4)}`, queues: wanted, concurrency: 2, kinds: ["noop"], total };
  const listen = (async () => {
    for await (const { command } of client.workers.attend({ hello }, { signal: line.signal })) said.push(command);
  })();
  const heard = async (what: string): Promise<unknown> =>
    await vi.waitFor(
      () => {
        const found = said.find((command) => command.case === what);
        expect(said.map((command) => command.case)).toContain(what);
        return found?.value;
      },
      { timeout: 30_000, interval: 10 },
    );
  await Promise.race([heard("welcome"), listen]);
  listen.catch(() => {});
  return {
    id,
    client,
    said,
    heard,
    lease: async (slots = 5) => (await client.workers.lease({ workerId: id, slots })).jobs,
    async report({ jobId, fence }, kind = OutcomeKind.COMPLETED) {
      const one = { jobId, fence, outcome: { kind }, resultJson: "{}" };
      const { answers } = await client.workers.report({ workerId: id, reports: [one] });
      return answers[0]!.accepted ? "accepted" : answers[0]!.reason;
    },
    leave: () => line.abort(),
  };
}

test("a worker is woken, leases, reports; a watcher sees every state", async () => {
  const worker = await machine();
  expect(await worker.heard("welcome")).toMatchObject({ leaseSeconds: 30, heartbeatSeconds: 5 });
  await worker.heard("wake");
  worker.said.length = 0;
  const { id } = await ask();
  const seen: Job[] = [];
  const watching = (async () => {
    for await (const { job } of ann.client.jobs.watchJob({ jobId: id })) seen.push(job!);
  })();
  await worker.heard("wake");
  await expect.poll(() => seen.at(-1)?.state).toBe(Job_State.WAITING);
  const [leased] = await worker.lease();
  expect(leased).toMatchObject({ jobId: id, kind: "noop", attempt: 1, queue: "default", timeoutSeconds: 60 });
  expect(JSON.parse(leased!.payloadJson)).toEqual(NOOP.payload);
  await expect.poll(() => seen.at(-1)?.state).toBe(Job_State.RUNNING);
  expect(seen.at(-1)?.workerName).toMatch(/^w-/);
  expect(await worker.report(leased!)).toBe("accepted");
  await watching;
  expect(seen.at(-1)).toMatchObject({ state: Job_State.ENDED, outcome: { kind: OutcomeKind.COMPLETED } });
  worker.leave();
});

test("a cancel of a running job reaches its worker down the line, before a heartbeat would", async () => {
  const worker = await machine();
  const { id } = await ask();
  const [leased] = await worker.lease();
  const began = performance.now();
  await ann.client.jobs.cancelJob({ jobId: id });
  expect(await worker.heard("cancel")).toMatchObject({ jobId: id, fence: leased!.fence });
  // Heartbeats come every five seconds.
  expect(performance.now() - began).toBeLessThan(4000);
  expect(await worker.report(leased!)).toBe("stale");
  const running = [{ jobId: id, fence: leased!.fence }];
  const { lost } = await worker.client.workers.heartbeat({ workerId: worker.id, running });
  expect(lost).toMatchObject([{ jobId: id, reason: "cancelled" }]);
  worker.leave();
});

describe("why a job waits", () => {
  const why = async (jobId: string) => (await ann.client.jobs.getJob({ jobId })).job?.wait;

  test("for want of a worker, with what it needs", async () => {
    const { id } = await ask({ tier: "gvisor", needs: { gpus: 1 } });
    expect(await why(id)).toMatchObject({ reason: "no_worker", position: 1, estimateSeconds: -1, workers: [] });
    expect((await why(id))?.detail).toBe(
      "it needs a worker for noop jobs with the tier gvisor, 1 GPUs; the queue default has no worker at the moment",
    );
    const worker = await machine();
    expect((await why(id))?.detail).toContain("none of the 1 workers of the queue default can");
    worker.leave();
  });

  test("behind others, busy workers, a bound of its owner's, a pause", async () => {
    const worker = await machine();
    const first = await ask();
    const second = await ask({ maxAttempts: 9 });
    const third = await ask();
    expect(await why(first.id)).toMatchObject({
      reason: "ready",
      position: 1,
      workers: [expect.stringMatching(/^w-/)],
    });
    expect(await why(third.id)).toMatchObject({ position: 3 });
    await worker.lease(2);
    expect(await why(third.id)).toMatchObject({ reason: "workers_busy", position: 1 });
    const { pool } = server.database;
    await pool.query("UPDATE spaces SET max_running_per_participant = 2");
    expect(await why(third.id)).toMatchObject({ reason: "participant_full" });
    await pool.query("UPDATE spaces SET max_running_per_participant = 0, max_running = 2");
    expect(await why(third.id)).toMatchObject({ reason: "space_full" });
    await pool.query("UPDATE spaces SET max_running = 0");
    await administrator.client.jobs.updateQueue({ name: "default", maxRunning: 2 });
    expect(await why(third.id)).toMatchObject({ reason: "queue_full" });
    await administrator.client.jobs.updateQueue({ name: "default", maxRunning: 0, paused: true });
    expect(await why(third.id)).toMatchObject({ reason: "paused" });
    expect(await worker.lease()).toEqual([]);
    await administrator.client.jobs.updateQueue({ name: "default", paused: false });
    // The pause after a sixth attempt is long enough to be seen.
    await pool.query("UPDATE attempts SET number = 6 WHERE job_id = $1", [second.id]);
    await pool.query("UPDATE jobs SET attempt = 6, lease_until = now() - interval '1 second' WHERE id = $1", [
      second.id,
    ]);
    await sweep(server.app);
    expect(await why(second.id)).toMatchObject({ reason: "backoff", notBefore: expect.anything() });
    worker.leave();
  });
});

describe("a worker's token", () => {
  test("is good for its own worker alone", async () => {
    const [mine, other] = [await machine(), await machine()];
    const { id } = await ask();
    const [job] = await mine.lease();
    const { workers } = other.client;
    const workerId = mine.id;
    expect(await codeOf(workers.lease({ workerId, slots: 1 }))).toBe("not_found");
    expect(await codeOf(workers.heartbeat({ workerId, running: [{ jobId: id, fence: job!.fence }] }))).toBe(
      "not_found",
    );
    const outcome = { kind: OutcomeKind.COMPLETED };
    const reports = [{ jobId: id, fence: job!.fence, outcome, resultJson: "{}" }];
    expect(await codeOf(workers.report({ workerId, reports }))).toBe("not_found");
    expect((await workers.report({ workerId: other.id, reports })).answers).toMatchObject([
      { accepted: false, reason: "unknown" },
    ]);
    const hello = { workerId, name: "thief", queues: ["default"], concurrency: 1 };
    const steal = (async () => {
      for await (const _ of workers.attend({ hello })) return;
    })();
    expect(await codeOf(steal)).toBe("forbidden");
    expect(await mine.report(job!)).toBe("accepted");
    mine.leave();
    other.leave();
  });

  test("is good for its queues alone", async () => {
    await expect(machine(["gpu"], ["default"])).rejects.toThrow(/may not take jobs of the queue/);
    await expect(machine([], ["nowhere"])).rejects.toThrow(/may not take jobs of the queue/);
    await organiser.client.jobs.listQueues({});
    await administrator.client.jobs.updateQueue({ name: "course-own", space: "course" });
    await expect(machine([], ["course-own"])).rejects.toThrow(/may not take jobs of the queue/);
    const worker = await machine(["course-own"], ["course-own"]);
    await ask();
    const own = await ask({ queue: "course-own" });
    expect((await worker.lease()).map(({ jobId }) => jobId)).toEqual([own.id]);
    await expect(ask({ queue: "course-own", spaceId: null })).rejects.toMatchObject({ code: "invalid" });
    worker.leave();
  });

  test("fetches no bundle but one that a job under its lease names", async () => {
    const worker = await machine();
    const { digest } = await server.app.store.put(Buffer.from("somebody's agent"));
    await ask();
    const [job] = await worker.lease();
    const fetch = async (jobId: string, fence: bigint): Promise<void> => {
      for await (const _ of worker.client.workers.fetchBundle({ workerId: worker.id, jobId, fence, digest })) return;
    };
    expect(await codeOf(fetch(job!.jobId, job!.fence))).toBe("not_found");
    expect(await codeOf(fetch(uuid(), 1n))).toBe("not_found");
    worker.leave();
  });

  test("revoked, its line ends and it leases no more", async () => {
    const worker = await machine();
    await ask();
    await server.database.pool.query("UPDATE tokens SET revoked_at = now() WHERE scope = 'worker'");
    await server.app.events.publish(server.app.db, `worker:${worker.id}`, "accounts");
    await expect.poll(() => codeOf(worker.lease())).toBe("unauthenticated");
    worker.leave();
  });
});

test("one participant cannot see, watch, cancel or read another's job; an organiser can; only he retries a dead one", async () => {
  const worker = await machine();
  const { id: jobId } = await ask({ maxAttempts: 1 });
  const [job] = await worker.lease();
  const log = { seq: 0n, piece: { case: "log", value: { seat: 0, text: "secret of ann\n" } } } as const;
  await worker.client.workers.heartbeat({
    workerId: worker.id,
    running: [{ jobId, fence: job!.fence, output: [log] }],
  });
  const read = async (client: LanistaClient): Promise<string> => {
    let text = "";
    for await (const piece of client.jobs.readLog({ jobId })) text += piece.text;
    return text;
  };
  const watch = async (client: LanistaClient): Promise<void> => {
    for await (const _ of client.jobs.watchJob({ jobId })) return;
  };
  for (const call of [
    () => ben.client.jobs.getJob({ jobId }),
    () => ben.client.jobs.cancelJob({ jobId }),
    () => watch(ben.client),
    () => read(ben.client),
  ])
    expect(await codeOf(call())).toBe("not_found");
  expect((await ben.client.jobs.listJobs({ space: "course" })).jobs).toEqual([]);
  expect(await codeOf(ben.client.jobs.listJobs({ space: "course", all: true }))).toBe("forbidden");
  for (const { client } of [ann, organiser, administrator]) expect(await read(client)).toBe("secret of ann\n");
  expect((await organiser.client.jobs.listJobs({ space: "course", all: true })).jobs).toHaveLength(1);
  expect(await worker.report(job!, OutcomeKind.INFRA_FAULT)).toBe("accepted");
  const dead = await ann.client.jobs.listJobs({ space: "course", states: [Job_State.DEAD] });
  expect(dead.jobs.map(({ id }) => id)).toEqual([jobId]);
  expect(await codeOf(ann.client.jobs.retryJob({ jobId }))).toBe("forbidden");
  expect((await organiser.client.jobs.retryJob({ jobId })).job?.state).toBe(Job_State.WAITING);
  worker.leave();
});

test("a worker that is told to drain is given nothing, and again when it need not", async () => {
  const worker = await machine();
  await ask();
  await administrator.client.workers.drainWorker({ workerId: worker.id, drain: true });
  expect(await worker.heard("drain")).toMatchObject({ drain: true });
  expect(await worker.lease()).toEqual([]);
  const { workers } = await organiser.client.workers.listWorkers({});
  expect(workers).toMatchObject([{ id: worker.id, draining: true, live: true, running: 0 }]);
  await administrator.client.workers.drainWorker({ workerId: worker.id, drain: false });
  expect(await worker.lease()).toHaveLength(1);
  worker.leave();
});
