/** Whole gradings, through the runners, in boxes. */
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { environments } from "@lanista/games/registry";
import { SandboxHost } from "@lanista/sandbox/host";
import { findPython } from "@lanista/sandbox/interpreters";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ZipFile } from "yazl";
import { AgentBoxes } from "../agent-boxes.ts";
import { prepareAgent } from "../agents/prepare.ts";
import { readReplayFile } from "../replay-file.ts";
import { verifyReplay } from "../replay-verify.ts";
import { checkTask } from "./check-task.ts";
import { type GradeRequest, gradeAgent } from "./grade.ts";
import { type Grade, studentView } from "./grade-types.ts";
import { type PreparedTask, takeTask } from "./task.ts";

const guestDir = join(import.meta.dirname, "../../../../guest");
const tier = existsSync("/usr/bin/crun") ? "container" : "none";

/** Of tic-tac-toe: `first` beats `first` from seat 0, and loses to it from seat 1. */
const FIRST = "def act(seen):\n    return list(seen['action_mask']).index(1)\n";
const MANIFEST = `
task: 1
title: Tic-tac-toe
environment: tic-tac-toe
scoring: { by: win-rate, zero: 0, full: 1 }
limits: { move_seconds: 1, start_seconds: 10, case_seconds: 60 }
cases:
  - { id: won, seed: 1, episodes: 2, weight: 3, opponents: [opponents/first.py] }
  - { id: lost, seed: 2298301281854982, seat: 1, hidden: true, title: The hard one, opponents: [opponents/first.py] }
reference: reference.py
cheat: cheat.py
`;

let dir: string;
let host: SandboxHost;
let boxes: GradeRequest["boxes"];
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "lanista-grading-"));
  host = await SandboxHost.open({ runDir: join(dir, "run") });
  const interpreters = { python: await findPython("/usr/bin/python3") };
  boxes = new AgentBoxes(host, { tier, interpreters, guestDir, limits: { memoryBytes: 128 * 1024 * 1024 } });
});
afterAll(async () => {
  await host.close();
  await rm(dir, { recursive: true, force: true });
});

let made = 0;
async function folder(files: Readonly<Record<string, string>>): Promise<string> {
  const at = join(dir, `given-${made++}`);
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(at, name)), { recursive: true });
    await writeFile(join(at, name), text);
  }
  return at;
}

const FILES = {
  "task.yaml": MANIFEST,
  "opponents/first.py": FIRST,
  "reference.py": FIRST,
  "cheat.py": "def act(seen):\n    return 99\n",
};
const task = async (but: Readonly<Record<string, string>> = {}): Promise<PreparedTask> =>
  await takeTask(await folder({ ...FILES, ...but }), join(dir, "work"));

async function grade(agent: string, more: Partial<GradeRequest> = {}): Promise<Grade> {
  const path = await folder({ "agent.py": agent });
  const prepared = await prepareAgent(path, { workDir: join(dir, "work") });
  return await gradeAgent({ task: more.task ?? (await task()), agent: prepared, boxes, ...more });
}

describe("a grading", () => {
  test("weighs its cases, and names all that it came from", async () => {
    const replays = join(dir, "replays");
    const given = await task();
    const result = await grade(FIRST, { task: given, replays, concurrency: 2 });
    expect(result.outcome).toEqual({ kind: "completed", cases: [], detail: null });
    expect(result.points).toBe(75);
    expect(result.cases.map(({ id, value, verdict, measured }) => [id, value, verdict, measured])).toEqual([
      ["won", 1, "OK", 1],
      ["lost", 0, "OK", 0],
    ]);
    expect(result).toMatchObject({ env: "tic-tac-toe", outOf: 100, sandbox: { tier }, task: { digest: given.digest } });
    expect(result.cases[0]!.opponents).toEqual([
      { name: "first.py", digest: given.cases[0]!.opponentAgents[0]!.digest },
    ]);
    for (const { replay } of result.cases) {
      const verdict = verifyReplay(await readReplayFile(replay.file!), environments);
      expect(verdict).toMatchObject({ ok: true });
    }
    expect((await readdir(replays)).sort()).toEqual([
      "lost.jsonl",
      "lost.seat-0.log",
      "lost.seat-1.log",
      "won.jsonl",
      "won.seat-0.log",
      "won.seat-1.log",
    ]);
  });

  test("of the same agent by the same task is the same again", async () => {
    const hashes = async (): Promise<string[]> => (await grade(FIRST)).cases.map(({ replay }) => replay.hash);
    expect(await hashes()).toEqual(await hashes());
  });

  test("of some cases alone is out of theirs", async () => {
    expect((await grade(FIRST, { only: ["won"] })).points).toBe(100);
    await expect(grade(FIRST, { only: ["other"] })).rejects.toThrow(/no case "other"; it has won, lost/);
  });

  test.each([
    ["hangs", "import time\ndef act(seen):\n    time.sleep(30)\n", "timeout", "TLE"],
    ["raises", "def act(seen):\n    1 / 0\n", "crash", "RE"],
    ["cannot be loaded", "import no_such_module\n", "start", "RE"],
    ["plays what is not legal", "def act(seen):\n    return 99\n", "illegal_action", "RE"],
    ...(tier === "container"
      ? [["eats memory", "def act(seen):\n    return len(bytearray(1 << 30))\n", "memory", "MLE"] as const]
      : []),
  ] as const)("of an agent that %s gives nothing for it", async (_, script, fault, verdict) => {
    const result = await grade(script, { only: ["won"] });
    expect(result).toMatchObject({ points: 0, outcome: { kind: "agent_fault", cases: ["won"] } });
    expect(result.cases).toMatchObject([{ outcome: "agent_fault", value: 0, fault, verdict, measured: null }]);
  });

  test("counts the cases that an agent was not at fault in", async () => {
    const fails =
      "class Agent:\n    def __init__(self, player_id):\n        self.seat = player_id\n    def act(self, seen):\n        if self.seat == 1: raise SystemExit(3)\n        return list(seen['action_mask']).index(1)\n";
    const result = await grade(fails);
    expect(result).toMatchObject({ points: 75, outcome: { kind: "agent_fault", cases: ["lost"] } });
  });

  test("keeps nothing from one case for the next", async () => {
    const remembers = `import os
kept = [name for name in ("/tmp/kept", "/dev/shm/kept") if os.path.exists(name)]
for name in ("/tmp/kept", "/dev/shm/kept"):
    try: open(name, "w").close()
    except OSError: pass
def act(seen):
    return 99 if kept else list(seen["action_mask"]).index(1)
`;
    // In the tier none nothing keeps it from doing so.
    if (tier === "container") expect((await grade(remembers)).points).toBe(75);
  });
});

describe("a fault that is not the agent's leaves no points:", () => {
  test("one of the task's own opponent", async () => {
    const given = await task({ "opponents/first.py": "def act(seen):\n    1 / 0\n" });
    const result = await grade(FIRST, { task: given });
    expect(result).toMatchObject({ points: null, outcome: { kind: "infra_fault", cases: ["won", "lost"] } });
    expect(result.outcome.detail).toMatch(/^the task's own opponent first\.py was at fault: crash/);
    expect(result.cases[0]).toMatchObject({ value: null, verdict: null, fault: null });
  });

  test("time that others took", async () => {
    const slow = `import time\n${FIRST.replace("    return", "    time.sleep(0.9)\n    return")}`;
    const short = MANIFEST.replace("case_seconds: 60", "case_seconds: 3").replace("episodes: 2", "episodes: 50");
    const theirs = await grade(FIRST, {
      task: await task({ "task.yaml": short, "opponents/first.py": slow }),
      only: ["won"],
    });
    expect(theirs).toMatchObject({ points: null, outcome: { kind: "infra_fault" } });
    expect(theirs.outcome.detail).toMatch(/no more than its part/);
    const own = await grade(slow, { task: await task({ "task.yaml": short }), only: ["won"] });
    expect(own.cases).toMatchObject([{ outcome: "agent_fault", fault: "timeout", verdict: "TLE", value: 0 }]);
  });

  test("a cancel", async () => {
    const stop = new AbortController();
    const result = await grade(FIRST, { signal: stop.signal, onProgress: () => stop.abort() });
    expect(result).toMatchObject({ points: null, outcome: { kind: "cancelled", cases: ["lost"] } });
  });
});

test("a student sees how hidden cases went, and nothing of what they were", async () => {
  const replays = join(dir, "seen");
  const shown = studentView(await grade(`import sys\nprint("SECRET", file=sys.stderr)\n${FIRST}`, { replays }));
  expect(shown.cases[0]).toMatchObject({ id: "won", seed: 1, measured: 1, log: join(replays, "won.seat-0.log") });
  expect(shown.cases[1]).toEqual({
    id: "hidden-2",
    title: "hidden-2",
    hidden: true,
    weight: 1,
    outcome: "completed",
    value: 0,
    verdict: "OK",
    fault: null,
  });
  expect(JSON.stringify(shown)).not.toMatch(/The hard one|lost/);
  expect(readFileSync(join(replays, "won.seat-0.log"), "utf8")).toContain("SECRET");
});

describe("a task", () => {
  test("is the same as a folder and as a zip", async () => {
    const at = await folder(FILES);
    const zip = new ZipFile();
    for (const name of Object.keys(FILES)) zip.addFile(join(at, name), name);
    zip.end();
    await writeFile(join(dir, "task.zip"), zip.outputStream);
    const [one, two] = [
      await takeTask(at, join(dir, "work")),
      await takeTask(join(dir, "task.zip"), join(dir, "work")),
    ];
    expect(one.digest).toBe(two.digest);
  });

  test.each([
    ["no manifest", { "task.yaml": undefined }, /there is no task\.yaml at its root/],
    ["an unknown environment", { "task.yaml": MANIFEST.replace("tic-tac-toe", "chess") }, /there is no "chess"/],
    [
      "an unknown option",
      { "task.yaml": MANIFEST.replace("seed: 1,", "seed: 1, options: { size: 3 },") },
      /cases\[0\]\.options: unknown option "size"/,
    ],
    [
      "a seat too many",
      { "task.yaml": MANIFEST.replace("seat: 1", "seat: 2") },
      /cases\[1\]\.seat: tic-tac-toe has seats 0 … 1/,
    ],
    [
      "an opponent too few",
      { "task.yaml": MANIFEST.replace("[opponents/first.py]", "[]") },
      /cases\[0\]\.opponents: .* 1 must be named, not 0/,
    ],
    [
      "an opponent that is not there",
      { "opponents/first.py": undefined },
      /cases\[0\]\.opponents\[0\]: .*no such file or folder/,
    ],
    [
      "a reference that cannot be started",
      { "task.yaml": MANIFEST.replace("reference.py", "opponents/none"), "opponents/none/x": "" },
      /reference: .*can be started/,
    ],
  ] as const)("with %s is refused, and leaves nothing", async (_, but, message) => {
    const given = Object.entries({ ...FILES, ...but }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    );
    const work = join(dir, `refused-${made++}`);
    await expect(takeTask(await folder(Object.fromEntries(given)), work)).rejects.toThrow(message);
    expect(await readdir(work)).toEqual([]);
  });

  test("that has nothing at its path is refused", async () => {
    await expect(takeTask(join(dir, "nowhere"), join(dir, "work"))).rejects.toThrow(/there is no task at/);
  });
});

describe("task check", () => {
  const ALWAYS = MANIFEST.replace(/ {2}- \{ id: lost.*\n/, "");

  test("finds nothing where the reference scores all and the cheat nothing", async () => {
    const report = await checkTask({ task: await task({ "task.yaml": ALWAYS }), boxes });
    expect(report).toMatchObject({ ok: true, findings: [], reference: { points: 100 }, cheat: { points: 0 } });
  });

  test("finds a reference that is wrong, case by case", async () => {
    const { ok, findings } = await checkTask({ task: await task(), boxes });
    expect(ok).toBe(false);
    expect(findings).toEqual([{ who: "reference", case: "lost", message: "scored 0 of 1 (measured 0)" }]);
  });

  test("finds a hidden seed that can be guessed", async () => {
    const low = MANIFEST.replace("2298301281854982", "20261128").replace("seat: 1, ", "");
    const { findings } = await checkTask({ task: await task({ "task.yaml": low }), boxes });
    expect(findings).toMatchObject([{ who: "leak", case: "lost", message: /can be guessed/ }]);
  });

  test("finds a cheat that is given something", async () => {
    const { findings } = await checkTask({ task: await task({ "task.yaml": ALWAYS, "cheat.py": FIRST }), boxes });
    expect(findings).toEqual([
      { who: "cheat", case: "won", message: "scored 1 where it must score nothing (measured 1)" },
    ]);
  });

  test("finds that there is no cheat, and no reference", async () => {
    const without = ALWAYS.replace(/reference:.*\ncheat:.*\n/, "");
    const { findings } = await checkTask({ task: await task({ "task.yaml": without }), boxes });
    expect(findings.map(({ who, message }) => [who, message])).toEqual([
      ["task", "names no reference: an agent that must score full marks"],
      ["task", "names no cheat: an agent that must score nothing"],
    ]);
  });
});
