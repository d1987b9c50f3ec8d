import { gzipSync } from "node:zlib";
import { MAX_REPLAY } from "@lanista/games/replay-limits";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Bench, bench } from "../jobs/testing.ts";
import { replayText } from "./replay-text.ts";

let at: Bench;
beforeAll(async () => {
  at = await bench();
});
afterAll(() => at.close());

it("takes what a worker handed in as a replay apart within bounds, and says what is none", async () => {
  const text = async (bytes: Uint8Array) => {
    const { digest } = await at.app.store.put(bytes);
    return await replayText(at.app, { replay_blob: digest });
  };
  expect(await text(gzipSync("{}\n"))).toBe("{}\n");
  await expect(text(Buffer.from("no gzip"))).rejects.toMatchObject({ code: "conflict" });
  await expect(text(gzipSync("{}\n").subarray(0, 15))).rejects.toMatchObject({ code: "conflict" });
  await expect(text(gzipSync(Buffer.alloc(MAX_REPLAY + 1)))).rejects.toMatchObject({ code: "conflict" });
});
