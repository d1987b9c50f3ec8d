/** What `npm pack` gives is installed into an empty folder, and has to play there with nothing of the checkout. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { ROOT, runProgram } from "./spawn.ts";

// Only slowness could make these take long.
vi.setConfig({ testTimeout: 180_000 });

describe("the packed package", () => {
  const packed = mkdtempSync(join(tmpdir(), "lanista-packed-"));
  const folder = mkdtempSync(join(tmpdir(), "lanista-empty-"));
  const lanista = (...args: string[]) => runProgram(join(folder, "node_modules", ".bin", "lanista"), args, folder);

  beforeAll(async () => {
    const pack = await runProgram("npm", ["pack", "--workspace", "lanista", "--pack-destination", packed], ROOT);
    expect(pack.status, pack.stderr).toBe(0);
    const [tarball] = readdirSync(packed);
    const install = await runProgram("npm", ["install", "--prefer-offline", join(packed, tarball!)], folder);
    expect(install.status, install.stderr).toBe(0);
  }, 900_000);

  afterAll(() => {
    for (const one of [packed, folder]) rmSync(one, { recursive: true, force: true });
  }, 180_000);

  test("brings a Node that can run it, though the system's is older", async () => {
    const ran = await lanista("--version");
    expect(ran.stderr).toBe("");
    expect(ran.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test("plays a match between starters in Python and JavaScript, and verifies its replay", async () => {
    expect(await lanista("init", "agent", "--lang", "python", "one")).toMatchObject({ status: 0 });
    expect(await lanista("init", "agent", "--lang", "javascript", "two")).toMatchObject({ status: 0 });
    const match = await lanista("match", "connect-four", "one", "two", "--replay", "game.jsonl.gz", "--json");
    expect(match.stderr).toBe("");
    expect(match.status).toBe(0);
    const { outcome, seats, replay } = JSON.parse(match.stdout);
    expect(outcome).toEqual({ kind: "completed" });
    expect(seats.map((seat: { agent: string }) => seat.agent)).toEqual(["one", "two"]);
    const verified = await lanista("replay", "verify", "game.jsonl.gz", "--json");
    expect(verified.status, verified.stderr).toBe(0);
    expect(JSON.parse(verified.stdout)).toMatchObject({ ok: true, hash: replay.hash });
  });

  test("exports a replay as a page", async () => {
    const ran = await lanista("replay", "export", "game.jsonl.gz", "--output", "game.html");
    expect(ran.status, ran.stderr).toBe(0);
    expect(readdirSync(folder)).toContain("game.html");
  });

  test("checks an environment that was begun from the starter in Python", async () => {
    expect(await lanista("init", "env", "--lang", "python", "mine")).toMatchObject({ status: 0 });
    const ran = await lanista("env", "check", "mine/environment.py");
    expect(ran.status, ran.stderr + ran.stdout).toBe(0);
  });
});
