import { create } from "@bufbuild/protobuf";
import { JobOutputSchema } from "@lanista/api/gen/lanista/v1/workers_pb";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { MOST_LOG_BYTES } from "./bounds.ts";
import type { JobRow } from "./kinds.ts";
import { MOVES, storeOutput } from "./output.ts";
import { readLog } from "./read-log.ts";
import { report } from "./report.ts";
import { sweep } from "./sweep.ts";
import { type Bench, bench, reportOf, type TestWorker } from "./testing.ts";

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

const log = (seq: number, seat: number, text: string) =>
  create(JobOutputSchema, { seq: BigInt(seq), piece: { case: "log", value: { seat, text } } });
const moves = (seq: number, text: string) =>
  create(JobOutputSchema, { seq: BigInt(seq), piece: { case: "moves", value: text } });
const store = (output: ReturnType<typeof log>[]) =>
  at.app.db.transaction().execute((tx) => storeOutput(tx, { jobId: job.id, fence: job.fence }, output));
const stored = async () =>
  await at.app.db.selectFrom("job_output").select(["seq", "seat", "text"]).orderBy("seq").execute();
async function read(seats: number[] | null, follow = false): Promise<string[]> {
  const lines: string[] = [];
  for await (const { seat, attempt, text } of readLog(at.app, job.id, seats, follow, AbortSignal.timeout(20_000)))
    lines.push(`${attempt}.${seat} ${text}`);
  return lines;
}

test("a piece that comes twice, alone or among others, is taken once", async () => {
  expect(await store([log(0, 0, "a"), log(1, 1, "b")])).toBe(true);
  expect(await store([log(0, 0, "a"), log(1, 1, "b")])).toBe(false);
  expect(await store([log(1, 1, "b"), log(2, 0, "c"), log(2, 0, "c")])).toBe(true);
  await Promise.all(Array.from({ length: 10 }, () => store([log(3, 0, "d"), moves(4, "{}\n")])));
  expect((await stored()).map(({ seat, text }) => `${seat}${text}`)).toEqual(["0a", "1b", "0c", "0d", "-1{}\n"]);
});

test("a log beyond its bound is cut off once, and says so; the other seats' go on", async () => {
  const piece = "é".repeat(65_536);
  for (let seq = 0; seq < 10; seq++) await store([log(2 * seq, 0, piece), log(2 * seq + 1, 1, "x")]);
  const rows = await stored();
  const first = rows.filter(({ seat }) => seat === 0).map(({ text }) => text);
  const kept = first.join("");
  expect(kept.endsWith(`\n[cut off: more than ${MOST_LOG_BYTES} bytes]\n`)).toBe(true);
  expect(Buffer.byteLength(kept)).toBeLessThan(MOST_LOG_BYTES + 100);
  expect(kept).not.toContain("\uFFFD");
  expect(rows.filter(({ seat }) => seat === 1)).toHaveLength(10);
});

test("moves beyond their bound are left out, whole lines", async () => {
  const line = `${"m".repeat(262_143)}\n`;
  await at.app.database.pool.query("UPDATE attempts SET output_bytes = $1", [
    JSON.stringify({ [MOVES]: 64 * 1024 * 1024 - 262_144 - 1 }),
  ]);
  expect(await store([moves(0, line)])).toBe(true);
  expect(await store([moves(1, line), moves(2, "{}\n")])).toBe(false);
  expect((await stored()).map(({ text }) => text.length)).toEqual([262_144]);
});

test("seats that cannot be and empty pieces are dropped; NUL is replaced", async () => {
  await store([log(0, 64, "x"), log(1, 0, ""), log(2, 0, "a\0b"), create(JobOutputSchema, { seq: 3n })]);
  expect((await stored()).map(({ text }) => text)).toEqual(["a\uFFFDb"]);
});

test("output under an old fence is not stored with the new attempt", async () => {
  await store([log(0, 0, "first")]);
  await at.lapse(job.id, "lease_until");
  await sweep(at.app);
  await at.app.database.pool.query("UPDATE jobs SET held = false, not_before = now() - interval '1 hour'");
  const [second] = (await worker.claim()) as [JobRow];
  await store([log(1, 0, "late")]);
  await at.app.db
    .transaction()
    .execute((tx) => storeOutput(tx, { jobId: second.id, fence: second.fence }, [log(0, 0, "second")]));
  expect(await read(null)).toEqual(["1.0 first", "1.0 late", "2.0 second"]);
});

test("a reader sees the seats that are his, made safe, also those that came while he reads, up to the end", async () => {
  await store([log(0, 0, "mine\n"), log(1, 1, "theirs\n"), moves(2, "{}\n")]);
  expect(await read([0])).toEqual(["1.0 mine\n"]);
  expect(await read([])).toEqual([]);
  const following = read([0], true);
  await store([log(3, 0, "\u001b[31mred\u202e\t\r\n")]);
  await report(at.app, worker.id, reportOf(job, undefined, { output: [log(4, 0, "last\n"), log(0, 0, "again")] }));
  expect(await following).toEqual(["1.0 mine\n", "1.0 \uFFFD[31mred\uFFFD\t\uFFFD\n", "1.0 last\n"]);
});
