/** The command as scripts see it: exit codes, one document on standard output, and what Ctrl-C leaves behind. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { LANISTA, runProgram } from "./spawn.ts";

// Only slowness could make these take long.
vi.setConfig({ testTimeout: 180_000 });

const folder = mkdtempSync(join(tmpdir(), "lanista-cli-"));
const run = (...args: string[]) => runProgram(LANISTA, args, folder);

const AGENTS = {
  "first.py": "class Agent:\n    def act(self, seen):\n        return list(seen['action_mask']).index(1)\n",
  "raises.py": "class Agent:\n    def act(self, seen):\n        raise ValueError('no \\x1b[2J idea')\n",
  "wrong.py": "class Agent:\n    def act(self, seen):\n        return 10**6\n",
  "slow.py": "import time\nclass Agent:\n    def act(self, seen):\n        time.sleep(3600)\n",
};

beforeAll(() => {
  for (const [name, text] of Object.entries(AGENTS)) writeFileSync(join(folder, name), text);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("lanista match", () => {
  test("ends with 0 when the match was played, and writes replay and logs where asked", async () => {
    const ran = await run(
      "match",
      "tic-tac-toe",
      "first.py",
      "first.py",
      "--replay",
      "out/game.jsonl",
      "--logs",
      "logs",
      "--json",
    );
    expect(ran).toMatchObject({ status: 0, stderr: "" });
    const document = JSON.parse(ran.stdout);
    expect(document).toMatchObject({ outcome: { kind: "completed" }, env: "tic-tac-toe", episodes: 1 });
    expect(document.seats.map((seat: { agent: string }) => seat.agent)).toEqual(["first.py #1", "first.py #2"]);
    expect(document.replay.file).toBe("out/game.jsonl");
    for (const { log } of document.seats) expect(existsSync(join(folder, log))).toBe(true);
    expect(await run("replay", "verify", "out/game.jsonl")).toMatchObject({ status: 0 });
  });

  test("its document has these keys, and figures of real boxes", async () => {
    const ran = await run("match", "tic-tac-toe", "first.py", "first.py", "--seed", "7", "--json");
    const text = expect.any(String);
    const hash = expect.stringMatching(/^[0-9a-f]{64}$/);
    const positive = expect.toSatisfy((value: unknown) => typeof value === "number" && value > 0);
    const seat = (agent: string, score: number, rank: number) => ({
      ...{ agent, digest: hash, score, rank, faults: 0, faultKinds: {}, firstFault: null, log: null, logCut: 0 },
      ...{ thoughtSeconds: positive, cpuSeconds: positive, peakMemoryBytes: positive },
    });
    expect(JSON.parse(ran.stdout)).toStrictEqual({
      outcome: { kind: "completed" },
      ...{ env: "tic-tac-toe", envVersion: 1, options: {}, seed: 7 },
      seats: [seat("first.py #1", 1, 1), seat("first.py #2", -1, 2)],
      ...{ episodes: 1, steps: 7, replay: { file: null, hash }, unwritten: [] },
      sandbox: {
        ...{ tier: "container", runtime: text, runtimeVersion: text, kernel: text, rootless: expect.any(Boolean) },
        ...{ cgroup: text, limits: expect.objectContaining({ memoryBytes: positive }), gaveUp: [] },
      },
      ...{ timedOut: false, attempts: expect.any(Number), wallSeconds: positive, engine: text },
    });
  });

  test("ends with 3 when an agent's fault decided it, and says what happened without driving the terminal", async () => {
    const ran = await run("match", "tic-tac-toe", "first.py", "raises.py");
    expect(ran.status).toBe(3);
    expect(ran.stdout).toMatch(/raises\.py \(seat 1\) lost by a fault: crash[\s\S]*ValueError: no .* idea/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the character that must not be there
    expect(ran.stdout).not.toMatch(/\u001b/);
  });

  test("goes on with random moves where asked: 0, and the faults are counted", async () => {
    const ran = await run(
      "match",
      "tic-tac-toe",
      "first.py",
      "wrong.py",
      "--on-fault",
      "random",
      "--seed",
      "1",
      "--json",
    );
    expect(ran.status).toBe(0);
    const { outcome, seats } = JSON.parse(ran.stdout);
    expect(outcome).toEqual({ kind: "completed" });
    expect(seats[1].faultKinds.illegal_action).toBeGreaterThan(0);
  });

  test.each([
    [["match", "tic-tac-toe", "first.py"], "tic-tac-toe has 2 seats, but 1 agent was given"],
    [["match", "tic-tac-toe", "first.py", "gone.py"], "gone.py"],
    [["match", "tic-tac-toe", "first.py", "first.py", "--tier", "none", "--runtime", "crun"], "crun"],
    [["match", "tic-tac-toe", "first.py", "first.py", "--give-up", "everything"], "everything"],
    [["match", "tic-tac-toe", "first.py", "first.py", "--time-per-move", "0"], "Give seconds"],
    [["tournament", "tic-tac-toe", "first.py"], "needs at least 2 agents, but 1 was given"],
    [["replay", "verify", "first.py"], "no whole replay"],
    [["replay", "show", "gone.jsonl"], "there is no file gone.jsonl"],
  ])("%j ends with 2", async (args, message) => {
    const ran = await run(...args, "--json");
    expect(ran.stderr).toContain(message);
    expect(ran.status).toBe(2);
    expect(JSON.parse(ran.stdout).error.code).toBe("usage");
  });
});

describe("Ctrl-C", () => {
  test("ends a match with 130, cleans up, and still gives one document", async () => {
    const runDir = join(folder, "run");
    const child = spawn(LANISTA, ["match", "tic-tac-toe", "slow.py", "first.py", "--time-per-move", "3600", "--json"], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, LANISTA_RUN_DIR: runDir },
    });
    let stdout = "";
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk;
    });
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    // Its folder holds a folder for each box once they are started.
    await expect
      .poll(() => (existsSync(runDir) ? readdirSync(runDir).flatMap((one) => readdirSync(join(runDir, one))) : []), {
        timeout: 100_000,
      })
      .toContain("b2");
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    expect(JSON.parse(stdout).outcome).toEqual({ kind: "cancelled" });
    expect(readdirSync(runDir)).toEqual([]);
  });
});

describe("lanista tournament", () => {
  test("plays every pairing in both seatings; a fault stands in the table, not in the exit code", async () => {
    const ran = await run(
      "tournament",
      "tic-tac-toe",
      "first.py",
      "raises.py",
      "--rounds",
      "2",
      "--seed",
      "5",
      "--json",
    );
    expect(ran).toMatchObject({ status: 0, stderr: "" });
    const { table, matches } = JSON.parse(ran.stdout);
    expect(matches.map((match: { agents: number[] }) => match.agents)).toEqual([
      [0, 1],
      [1, 0],
      [0, 1],
      [1, 0],
    ]);
    expect(table[0]).toMatchObject({ agent: "first.py", played: 4, won: 4, faults: 0 });
    expect(table[1]).toMatchObject({ agent: "raises.py", lost: 4, faults: 4 });
  });

  test("the same as text holds no escape sequences where it is no terminal", async () => {
    const ran = await run("tournament", "tic-tac-toe", "first.py", "raises.py");
    expect(ran.stdout).toMatch(/rank {2}agent[\s\S]*raises\.py lost by crash in 2 matches/);
    expect(ran.stdout).not.toContain("\u001b");
  });
});
