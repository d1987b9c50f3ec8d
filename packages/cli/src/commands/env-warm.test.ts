import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cgroupLayout } from "@lanista/sandbox/cgroup-layout";
import { unenforceable } from "@lanista/sandbox/enforceable";
import { makeWheel, uvForTests } from "@lanista/sandbox/testing/packages";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "../testing.ts";

const uv = await uvForTests();
const dir = mkdtempSync(join(tmpdir(), "lanista-env-warm-"));
const giveUp = [...unenforceable("crun", cgroupLayout(), process.getuid?.() !== 0).keys()];
const before = process.env.LANISTA_CACHE_DIR;
beforeAll(() => {
  process.env.LANISTA_CACHE_DIR = join(dir, "cache");
  makeWheel(join(dir, "links"), "plain", "1.0", { "plain.py": "" });
  mkdirSync(join(dir, "bundle"));
  writeFileSync(join(dir, "requirements.txt"), "plain # of the folder\n");
  // As a grader of aiVLE's has it: what grading brings along is asked of no index.
  writeFileSync(
    join(dir, "bundle/requirements.txt"),
    "plain\naivle-gym @ git+https://github.com/edu-ai/aivle-gym@main\n",
  );
  makeWheel(join(dir, "links"), "gym", "1.0", { "gym.py": "" });
  makeWheel(join(dir, "links"), "pyzmq", "1.0", { "zmq.py": "" });
  writeFileSync(join(dir, "wrong.txt"), "plain\n-e .\n");
  execFileSync("python3", ["-m", "zipfile", "-c", join(dir, "bundle.zip"), join(dir, "bundle/requirements.txt")]);
});
afterAll(() => {
  if (before === undefined) delete process.env.LANISTA_CACHE_DIR;
  else process.env.LANISTA_CACHE_DIR = before;
  rmSync(dir, { recursive: true, force: true });
});

const warm = (...paths: readonly string[]) =>
  runCommand(
    "env",
    "warm",
    ...paths.map((path) => join(dir, path)),
    "--offline",
    "--find-links",
    join(dir, "links"),
    "--uv",
    uv!,
    ...(giveUp.length === 0 ? [] : ["--give-up", giveUp.join(",")]),
    "--json",
  );

describe.skipIf(uv === null)("packages", () => {
  it("are built once, from a file, a folder or a zip, then listed, and removed", async () => {
    const ran = await warm("requirements.txt", "bundle", "bundle.zip");
    expect(ran).toMatchObject({ code: 0 });
    const { sets } = JSON.parse(ran.stdout);
    expect(sets).toMatchObject([
      { built: true, packages: ["plain==1.0"] },
      { built: true, packages: ["gym==1.0", "plain==1.0", "pyzmq==1.0"] },
      { built: false, packages: ["gym==1.0", "plain==1.0", "pyzmq==1.0"] },
    ]);
    expect(JSON.parse((await warm("requirements.txt")).stdout).sets).toMatchObject([
      { built: false, key: sets[0].key },
    ]);

    const list = JSON.parse((await runCommand("env", "packages", "--json")).stdout);
    expect(list.sets.map(({ key }: { key: string }) => key).sort()).toEqual([sets[0].key, sets[1].key].sort());
    expect(list.sets.every(({ inUse }: { inUse: boolean }) => !inUse)).toBe(true);
    const kept = await runCommand("env", "packages", "--clean", "--unused-for", "1");
    expect(kept.stdout).toMatch(/Removed 0 sets[\s\S]*plain/);
    const cleaned = await runCommand("env", "packages", "--clean");
    expect(cleaned.stdout).toMatch(/Removed 2 sets,[\s\S]*There are no sets/);
  });

  it("that cannot be had are told with the line, and how the command ends says whose fault it is", async () => {
    const ran = await warm("wrong.txt");
    expect(ran.code).toBe(2);
    expect(JSON.parse(ran.stdout).error).toEqual({ code: "usage", message: expect.stringMatching(/line 2:/) });
    expect((await warm("nothing.txt")).code).toBe(2);
    expect((await warm("links")).code).toBe(2);
  });
});
