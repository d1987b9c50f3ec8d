import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { claim } from "./claim.ts";
import type { JobRow } from "./kinds.ts";
import { report } from "./report.ts";
import { sweep } from "./sweep.ts";
import { type Bench, bench, reportOf, type TestWorker } from "./testing.ts";

let at: Bench;
beforeAll(async () => {
  at = await bench();
  for (const name of ["ada", "bob", "eve"]) await at.user(name);
});
afterAll(() => at.close());
beforeEach(async () => {
  await at.app.database.pool.query("TRUNCATE jobs, attempts, job_output, told, queue_clocks CASCADE");
  await at.app.database.pool.query("DELETE FROM workers; DELETE FROM tokens");
  await at.app.database.pool.query("UPDATE spaces SET max_running = 0, max_running_per_participant = 0");
  await at.app.database.pool.query("UPDATE queues SET max_running = 0, paused = false");
});

const many = async (n: number, request: Parameters<Bench["enqueue"]>[0] = {}): Promise<JobRow[]> => {
  const jobs: JobRow[] = [];
  for (let i = 0; i < n; i++) jobs.push(await at.enqueue(request));
  return jobs;
};
const end = async (worker: TestWorker, job: JobRow): Promise<void> => {
  expect(await report(at.app, worker.id, reportOf(job))).toEqual({ accepted: true, reason: "" });
};
const owners = (jobs: readonly JobRow[]): string => jobs.map((job) => job.owner_id?.[0] ?? "-").join("");

test("a claim leases a job under the next fence and writes the attempt down", async () => {
  const worker = await at.worker();
  const { id } = await at.enqueue();
  const [job] = await worker.claim(5);
  expect(job).toMatchObject({ id, state: "running", fence: 1, attempt: 1, worker_id: worker.id });
  expect(job!.lease_until!.getTime() - Date.now()).toBeGreaterThan(20_000);
  const attempts = await at.app.db.selectFrom("attempts").selectAll().execute();
  expect(attempts).toMatchObject([{ job_id: id, number: 1, fence: 1, worker_name: worker.name, ended_at: null }]);
  expect(await worker.claim()).toEqual([]);
  expect(await at.told(id)).toEqual(["started"]);
});

test("twenty claimers at once take each of four hundred jobs exactly once", async () => {
  await many(400);
  const workers = await Promise.all(Array.from({ length: 20 }, () => at.worker()));
  const taken: string[] = [];
  await Promise.all(
    workers.map(async (worker) => {
      for (;;) {
        const jobs = await worker.claim(7);
        if (jobs.length === 0) return;
        taken.push(...jobs.map(({ id }) => id));
        for (const job of jobs) expect(job.worker_id).toBe(worker.id);
      }
    }),
  );
  expect(taken).toHaveLength(400);
  expect(new Set(taken).size).toBe(400);
});

describe("the fair order", () => {
  test("one person's hundred jobs stand behind the others' first ones", async () => {
    await many(100, { ownerId: "ada" });
    await many(2, { ownerId: "bob" });
    await many(1, { ownerId: "eve" });
    const worker = await at.worker();
    expect(owners(await worker.claim(7))).toBe("abeabaa");
  });

  test("who comes late begins where the queue has come to: neither before who waits nor behind his whole line", async () => {
    await many(60, { ownerId: "ada" });
    const worker = await at.worker();
    await worker.claim(50);
    await many(10, { ownerId: "bob" });
    const next = owners(await worker.claim(10));
    expect([...next].filter((one) => one === "b")).toHaveLength(5);
  });

  test("one at a time is as fair as ten together", async () => {
    const worker = await at.worker();
    await many(30, { ownerId: "ada" });
    await many(30, { ownerId: "bob" });
    let order = "";
    for (let i = 0; i < 20; i++) order += owners(await worker.claim());
    expect([...order].filter((one) => one === "b")).toHaveLength(10);
  });

  test("a higher priority goes first, whoever's it is", async () => {
    await many(3, { ownerId: "ada" });
    await many(2, { ownerId: "bob", priority: 5 });
    expect(owners(await (await at.worker()).claim(5))).toBe("bbaaa");
  });
});

describe("bounds on what runs at once, under twenty claimers", () => {
  /** The most that ever ran, by the attempts' own times, and every job ended. */
  async function drain(most: () => Promise<number>): Promise<number> {
    const workers = await Promise.all(Array.from({ length: 20 }, () => at.worker()));
    let highest = 0;
    await Promise.all(
      workers.map(async (worker) => {
        for (let idle = 0; idle < 40; ) {
          const jobs = await worker.claim(3);
          idle = jobs.length === 0 ? idle + 1 : 0;
          highest = Math.max(highest, await most());
          for (const job of jobs) await end(worker, job);
        }
      }),
    );
    const { rows } = await at.app.database.pool.query("SELECT 1 FROM jobs WHERE state <> 'ended'");
    expect(rows).toHaveLength(0);
    return highest;
  }
  const running = (where: string) => async (): Promise<number> => {
    const { rows } = await at.app.database.pool.query<{ n: number }>(
      `SELECT coalesce(max(n), 0)::int AS n FROM (SELECT count(*) AS n FROM jobs WHERE state = 'running' GROUP BY ${where}) c`,
    );
    return rows[0]!.n;
  };

  test("of a queue", async () => {
    await at.app.database.pool.query("UPDATE queues SET max_running = 4 WHERE name = 'default'");
    await many(60);
    expect(await drain(running("queue"))).toBe(4);
  });

  test("of a space", async () => {
    await at.app.database.pool.query("UPDATE spaces SET max_running = 3");
    await many(40, { spaceId: at.space });
    expect(await drain(running("space_id"))).toBe(3);
  });

  test("of a participant in a space, and nobody else is kept by it", async () => {
    await at.app.database.pool.query("UPDATE spaces SET max_running_per_participant = 2");
    for (const ownerId of ["ada", "bob", "eve"]) await many(20, { spaceId: at.space, ownerId });
    expect(await drain(running("space_id, owner_id"))).toBe(2);
  });
});

test("a participant at his bound leaves the others' way free, however many jobs he has in front of theirs", async () => {
  await at.app.database.pool.query("UPDATE spaces SET max_running_per_participant = 2");
  await at.app.db.transaction().execute(async (tx) => {
    const { enqueue } = await import("./enqueue.ts");
    for (let i = 0; i < 1500; i++)
      await enqueue(at.app, tx, {
        kind: "noop",
        payload: { seconds: 0, end: "completed" },
        timeoutSeconds: 60,
        spaceId: at.space,
        ownerId: "ada",
      });
  });
  const worker = await at.worker();
  expect(owners(await worker.claim(10))).toBe("aa");
  // As if the queue had long gone on without him.
  await at.app.database.pool.query("UPDATE queue_clocks SET tag = 5000");
  await many(3, { spaceId: at.space, ownerId: "bob" });
  await many(3, { ownerId: "eve" });
  const taken = owners(await worker.claim(10));
  expect([...taken].sort().join("")).toBe("bbeee");
});

test("jobs go to who can run them: kinds, tiers, what is free, taken off as it is given", async () => {
  const gpu = await at.enqueue({ needs: { gpus: 1, vramBytes: 100 } });
  const boxed = await at.enqueue({ tier: "gvisor" });
  const large = await at.enqueue({ needs: { memoryBytes: 600 } });
  const second = await at.enqueue({ needs: { memoryBytes: 600 } });
  const small = await at.enqueue({ needs: { cpus: 1, memoryBytes: 300 } });
  const other = await at.worker({ kinds: ["match"] });
  expect(await other.claim(10)).toEqual([]);
  const plain = await at.worker();
  const first = await plain.claim(10, { cpus: 2, memoryBytes: 1000, gpus: 0, vramBytes: 0 });
  expect(first.map(({ id }) => id)).toEqual([large.id, small.id]);
  expect((await plain.claim(10)).map(({ id }) => id)).toEqual([second.id]);
  const strong = await at.worker({ tiers: ["container", "gvisor"] });
  expect((await strong.claim(10, {})).map(({ id }) => id)).toEqual([boxed.id]);
  expect(await strong.claim(10, { gpus: 1, vramBytes: 99 })).toEqual([]);
  expect((await strong.claim(10, { gpus: 1, vramBytes: 100 })).map(({ id }) => id)).toEqual([gpu.id]);
});

test("five hundred jobs that a worker cannot run do not hide the one behind them that it can", async () => {
  await many(500, { tier: "gvisor" });
  const { id } = await at.enqueue({ tier: "container" });
  const worker = await at.worker();
  expect((await worker.claim(4)).map((job) => job.id)).toEqual([id]);
});

test("a paused queue gives nothing, a worker only its queues' jobs, and several queues are all served", async () => {
  await at.enqueue();
  await at.enqueue({ queue: "gpu" });
  await at.app.database.pool.query("UPDATE queues SET paused = true WHERE name = 'default'");
  const worker = await at.worker();
  expect(await worker.claim(5)).toEqual([]);
  const both = await at.worker({ queues: ["default", "gpu"] });
  expect((await both.claim(5)).map(({ queue }) => queue)).toEqual(["gpu"]);
  await at.app.database.pool.query("UPDATE queues SET paused = false WHERE name = 'default'");
  expect((await both.claim(5)).map(({ queue }) => queue)).toEqual(["default"]);
});

test("what failed on a worker goes to another first, and back to it where there is no other", async () => {
  const { id } = await at.enqueue();
  const failed = await at.worker();
  const fail = async (worker: TestWorker): Promise<void> => {
    const [job] = await worker.claim();
    expect(job?.id).toBe(id);
    await at.lapse(id, "lease_until");
    expect(await sweep(at.app)).toBe(1);
    expect((await at.row(id)).held).toBe(true);
    await at.lapse(id, "not_before");
    await sweep(at.app);
  };
  await fail(failed);
  const other = await at.worker();
  expect(await failed.claim()).toEqual([]);
  await fail(other);
  await at.app.database.pool.query("UPDATE workers SET draining = true WHERE id = $1", [failed.id]);
  expect(await other.claim()).toHaveLength(1);
});

test("a job whose kind cannot start it is a fault of ours, and the jobs behind it start", async () => {
  const sound = at.app.kinds.get("noop")!;
  const poisoned = await at.enqueue();
  const fine = await at.enqueue();
  const kinds = new Map([
    [
      "noop",
      {
        ...sound,
        async started(...[app, tx, job]: Parameters<NonNullable<typeof sound.started>>) {
          if (job.id === poisoned.id) throw new Error("no");
          await sound.started?.(app, tx, job);
        },
      },
    ],
  ]);
  const worker = await at.worker();
  const jobs = await claim({ ...at.app, kinds }, worker, 5, {});
  expect(jobs.map(({ id }) => id)).toEqual([fine.id]);
  expect(await at.row(poisoned.id)).toMatchObject({ state: "waiting", held: true, attempt: 1 });
});

test("behind a full front, what failed here hides no other of its class", async () => {
  await many(200, { tier: "gvisor" });
  const failed = await at.enqueue();
  const worker = await at.worker();
  expect((await worker.claim()).map(({ id }) => id)).toEqual([failed.id]);
  await at.lapse(failed.id, "lease_until");
  await sweep(at.app);
  await at.lapse(failed.id, "not_before");
  await sweep(at.app);
  const next = await at.enqueue();
  await at.worker();
  expect((await worker.claim()).map(({ id }) => id)).toEqual([next.id]);
});
