import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { BundleCache, type FetchBytes } from "./bundle-cache.ts";

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "lanista-bundles-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

const digestOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const never = new AbortController().signal;
const cached = (): string[] => readdirSync(join(dir, "cache"));
const open = (mostBytes = 1e6): BundleCache => new BundleCache(join(dir, "cache"), mostBytes);
let targets = 0;
const target = (): string => join(dir, `target-${++targets}`);

/** Gives the bytes in two pieces, and counts how often it was asked. */
function source(bytes: Buffer, given = bytes): { fetch: FetchBytes; calls: () => number } {
  let calls = 0;
  return {
    calls: () => calls,
    fetch: async function* () {
      calls++;
      yield given.subarray(0, 3);
      await new Promise((resolve) => setTimeout(resolve, 20));
      yield given.subarray(3);
    },
  };
}

test("fetches once for all who ask at a time, and never again", async () => {
  const bytes = Buffer.from("a bundle");
  const { fetch, calls } = source(bytes);
  const cache = open();
  const files = [target(), target(), target()];
  await Promise.all(files.map((file) => cache.take(digestOf(bytes), file, fetch, never)));
  await open().take(digestOf(bytes), target(), fetch, never);
  expect(calls()).toBe(1);
  for (const file of files) expect(readFileSync(file).equals(bytes)).toBe(true);
});

test("bytes that are not the digest's are refused, and nothing of them is kept", async () => {
  const bytes = Buffer.from("a bundle");
  const { fetch } = source(bytes, Buffer.from("another"));
  const file = target();
  await expect(open().take(digestOf(bytes), file, fetch, never)).rejects.toThrow("are not those of the bundle");
  expect(cached()).toEqual([]);
  expect(() => readFileSync(file)).toThrow();
});

test("what the disk has spoilt is fetched again", async () => {
  const bytes = Buffer.from("a bundle");
  const { fetch, calls } = source(bytes);
  const cache = open();
  await cache.take(digestOf(bytes), target(), fetch, never);
  rmSync(join(dir, "cache", digestOf(bytes)));
  writeFileSync(join(dir, "cache", digestOf(bytes)), "a bundlf");
  const file = target();
  await cache.take(digestOf(bytes), file, fetch, never);
  expect(readFileSync(file).equals(bytes)).toBe(true);
  expect(calls()).toBe(2);
});

test("a fetch that breaks leaves nothing, and the next one starts anew", async () => {
  const bytes = Buffer.from("a bundle");
  const breaks: FetchBytes = async function* () {
    yield bytes.subarray(0, 4);
    throw new Error("the line was cut");
  };
  const cache = open();
  await expect(cache.take(digestOf(bytes), target(), breaks, never)).rejects.toThrow("the line was cut");
  expect(cached()).toEqual([]);
  const file = target();
  await cache.take(digestOf(bytes), file, source(bytes).fetch, never);
  expect(readFileSync(file).equals(bytes)).toBe(true);
});

test("one who is stopped does not take the bundle from those who wait with him", async () => {
  const bytes = Buffer.from("a bundle");
  const { fetch } = source(bytes);
  const stop = new AbortController();
  const cache = open();
  const stopped = cache.take(digestOf(bytes), target(), fetch, stop.signal);
  const file = target();
  const waiting = cache.take(digestOf(bytes), file, fetch, never);
  stop.abort(new Error("stopped"));
  await expect(stopped).rejects.toThrow("stopped");
  await waiting;
  expect(readFileSync(file).equals(bytes)).toBe(true);
});

test("the longest unused go when there are too many bytes, the newest stays, and what was taken stays whole", async () => {
  const cache = open(25);
  const bundles = ["first bundle", "other bundle", "third bundle"].map((text) => Buffer.from(text));
  const files: string[] = [];
  for (const [age, bytes] of bundles.entries()) {
    files.push(target());
    await cache.take(digestOf(bytes), files.at(-1)!, source(bytes).fetch, never);
    const used = new Date(Date.now() - 60_000 + age * 1000);
    utimesSync(join(dir, "cache", digestOf(bytes)), used, used);
  }
  expect(cached().sort()).toEqual(bundles.slice(1).map(digestOf).sort());
  expect(readFileSync(files[0]!).equals(bundles[0]!)).toBe(true);
});

test("what is no digest names no file", async () => {
  await expect(open().take("../../etc/passwd", target(), source(Buffer.from("x")).fetch, never)).rejects.toThrow(
    "is no digest",
  );
});
