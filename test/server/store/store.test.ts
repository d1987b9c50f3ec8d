/** One conformance test for both stores: a folder, and a bucket of moto's server. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { openStore } from "@lanista/server/store/open";
import { parseS3Url, S3Store } from "@lanista/server/store/s3-store";
import type { BlobStore } from "@lanista/server/store/store";
import { freePort } from "@lanista/server/testing/free-port";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pythonPackages } from "../python.ts";

const venv = pythonPackages(join(import.meta.dirname, "requirements.txt"));
const dir = mkdtempSync(join(tmpdir(), "lanista-store-"));
let moto: ChildProcess | undefined;
let endpoint = "";

beforeAll(async () => {
  if (venv === null) return;
  process.env.AWS_ACCESS_KEY_ID = "test";
  process.env.AWS_SECRET_ACCESS_KEY = "test";
  const port = await freePort();
  endpoint = `http://127.0.0.1:${port}`;
  moto = spawn(join(venv, "bin/moto_server"), ["-H", "127.0.0.1", "-p", String(port)], { stdio: "ignore" });
  const client = new S3Client({ region: "us-east-1", endpoint, forcePathStyle: true });
  for (let tries = 0; ; tries++) {
    try {
      await client.send(new CreateBucketCommand({ Bucket: "blobs" }));
      break;
    } catch (error) {
      if (tries > 100) throw error;
      await sleep(200);
    }
  }
});
afterAll(() => {
  moto?.kill();
  rmSync(dir, { recursive: true });
});

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

async function* pieces(...all: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* all;
}

const STORES: readonly (readonly [string, boolean, () => Promise<BlobStore>])[] = [
  ["a folder", true, () => openStore("", dir)],
  ["a bucket", venv !== null, () => openStore(`s3://blobs/some/prefix?endpoint=${endpoint}`, dir)],
  [
    "a bucket whose blobs are never young",
    venv !== null,
    () => Promise.resolve(new S3Store(parseS3Url(`s3://blobs/other?endpoint=${endpoint}`), 0)),
  ],
];

for (const [name, here, open] of STORES)
  describe.runIf(here)(name, () => {
    let store: BlobStore;
    beforeAll(async () => {
      store = await open();
      await store.check();
    });

    it("gives back what was put in, under its SHA-256", async () => {
      const bytes = randomBytes(100_000);
      const put = await store.put(bytes);
      expect(put).toEqual({ digest: sha256(bytes), size: 100_000 });
      expect(await store.put(bytes)).toEqual(put);
      expect(await store.has(put.digest)).toBe(true);
      expect(Buffer.from(await store.get(put.digest)).equals(bytes)).toBe(true);
      expect((await buffer(await store.open(put.digest))).equals(bytes)).toBe(true);
      const listed: string[] = [];
      for await (const digest of store.list()) listed.push(digest);
      expect(listed).toContain(put.digest);
      await store.delete(put.digest);
      expect(await store.has(put.digest)).toBe(false);
    });

    it("deletes what is old and not what is young, and makes it young when it is touched", async () => {
      const bytes = randomBytes(1000);
      const { digest } = await store.put(bytes);
      expect(await store.deleteOlder(digest, 3600)).toBe(false);
      await sleep(2100);
      expect(await store.touch(digest)).toBe(true);
      if (name !== "a bucket") expect(await store.deleteOlder(digest, 2)).toBe(false);
      expect(Buffer.from(await store.get(digest)).equals(bytes)).toBe(true);
      await sleep(1100);
      expect(await store.deleteOlder(digest, 1)).toBe(true);
      expect(await store.has(digest)).toBe(false);
      expect(await store.deleteOlder(digest, 0)).toBe(false);
      expect(await store.touch(digest)).toBe(false);
    });

    it("says of what is not there that it is not", async () => {
      const digest = sha256(Buffer.from("absent"));
      expect(await store.has(digest)).toBe(false);
      await expect(store.get(digest)).rejects.toMatchObject({ code: "not_found" });
      await expect(store.open(digest)).rejects.toMatchObject({ code: "not_found" });
      await store.delete(digest);
    });

    it("takes no name that is no digest", async () => {
      for (const bad of ["../../etc/passwd", "a".repeat(63), "", "A".repeat(64)])
        await expect(store.get(bad)).rejects.toMatchObject({ code: "invalid" });
    });

    it("takes a stream only as it was announced, and keeps nothing of another", async () => {
      const bytes = randomBytes(50_000);
      const good = { digest: sha256(bytes), size: bytes.byteLength };
      const halves = [bytes.subarray(0, 20_000), bytes.subarray(20_000)];
      for (const wrong of [
        { ...good, size: 49_999 },
        { ...good, size: 50_001 },
        { ...good, digest: sha256(Buffer.from("another")) },
      ]) {
        await expect(store.putStream(pieces(...halves), wrong)).rejects.toMatchObject({ code: "invalid" });
        expect(await store.has(wrong.digest)).toBe(false);
      }
      await store.putStream(pieces(...halves), good);
      expect(Buffer.from(await store.get(good.digest)).equals(bytes)).toBe(true);
    });

    it("gives an upload's parts back by their offsets", async () => {
      const upload = "01890000-0000-7000-8000-000000000000";
      await store.putPart(upload, 9, Buffer.from("second"));
      await store.putPart(upload, 100, Buffer.from("third"));
      await store.putPart(upload, 0, Buffer.from("first"));
      const read = async (): Promise<string> => {
        let text = "";
        for await (const part of store.parts(upload)) text += Buffer.from(part).toString();
        return text;
      };
      expect(await read()).toBe("firstsecondthird");
      await store.deleteParts(upload);
      await store.deleteParts(upload);
    });
  });

it("leaves nothing half-made in its folder", () => {
  expect(readdirSync(join(dir, "store", "making"))).toEqual([]);
});

it("refuses what is no store", async () => {
  for (const url of ["http://x/y", "s3:///no-bucket", "s3://blobs?secret=1"])
    await expect(openStore(url, dir)).rejects.toMatchObject({ code: "invalid" });
});
