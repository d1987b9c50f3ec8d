import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { recordBundle } from "../agents/bundles.ts";
import type { App } from "../app.ts";
import { type Bench, bench } from "../jobs/testing.ts";
import { openStore } from "./open.ts";
import { collectOrphans, keepBlob } from "./orphans.ts";

const HOUR = 3600;
const dir = mkdtempSync(join(tmpdir(), "lanista-orphans-"));
let at: Bench;
let app: App;
beforeAll(async () => {
  at = await bench();
  app = { ...at.app, store: await openStore(dir, "") };
});
afterAll(async () => {
  await at.close();
  rmSync(dir, { recursive: true });
});

async function old(digest: string): Promise<void> {
  const then = new Date(Date.now() - 2 * HOUR * 1000);
  await utimes(join(dir, "blobs", digest.slice(0, 2), digest), then, then);
}
const put = async (bytes: Buffer = randomBytes(100)): Promise<string> => {
  const { digest } = await app.store.put(bytes);
  await old(digest);
  return digest;
};

test("what no row names goes when it is old; what a version or a match is made of stays", async () => {
  const [orphan, bundle, replay] = [await put(), await put(), await put()];
  const young = (await app.store.put(randomBytes(100))).digest;
  await app.db.transaction().execute((tx) => recordBundle(tx, bundle, 100));
  const job = await at.enqueue();
  await app.db
    .insertInto("matches")
    .values({
      id: crypto.randomUUID(),
      job_id: job.id,
      reason: "ladder",
      env: "hex",
      options: "{}",
      seed: "1",
      replay_blob: replay,
    })
    .execute();
  expect(await collectOrphans(app, HOUR)).toBe(1);
  const left = await Promise.all([orphan, bundle, replay, young].map((digest) => app.store.has(digest)));
  expect(left).toEqual([false, true, true, true]);
});

test("what is being named at the moment stays", async () => {
  const digest = await put();
  await app.db.transaction().execute(async (tx) => {
    await recordBundle(tx, digest, 100);
    expect(await collectOrphans(app, HOUR)).toBe(0);
  });
  expect(await collectOrphans(app, HOUR)).toBe(0);
  expect(await app.store.has(digest)).toBe(true);
});

test("an old orphan that is put again while it is collected is there afterwards", async () => {
  for (let round = 0; round < 30; round++) {
    const bytes = randomBytes(100);
    const digest = createHash("sha256").update(bytes).digest("hex");
    await put(bytes);
    const [kept] = await Promise.all([keepBlob(app, bytes), collectOrphans(app, HOUR), collectOrphans(app, HOUR)]);
    expect(kept).toBe(digest);
    expect(await app.store.has(digest)).toBe(true);
  }
});
