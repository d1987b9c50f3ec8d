/** The verdict section of the threats, for aiVLE's bundles: aiVLE's own way of grading is fooled by every cheat, ours by none. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { BOOTSTRAP, LegacyBench } from "@lanista/arena/legacy/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CHEATS, GRADER } from "./cheats.ts";

const run = promisify(execFile);

let bench: LegacyBench;
let dir: string;
let venv: string;
beforeAll(async () => {
  bench = await LegacyBench.open();
  dir = await mkdtemp(join(tmpdir(), "lanista-verdict-"));
  venv = join(dir, "venv");
  await run("/usr/bin/python3", ["-m", "venv", "--without-pip", venv]);
});
afterAll(async () => {
  await bench.close();
  await rm(dir, { recursive: true, force: true });
});

let made = 0;
/** The score that aiVLE's site would take from what its worker sends. */
async function originalScore(files: Readonly<Record<string, string>>): Promise<number | null> {
  const grader = await bench.folder({ "bootstrap.sh": BOOTSTRAP, "grader.py": GRADER });
  const agent = await bench.folder(files);
  const folder = join(dir, `original-${made++}`);
  const words = [join(import.meta.dirname, "original.py"), venv, grader, agent, folder, "0", "30"];
  const { shown } = JSON.parse((await run("/usr/bin/python3", words)).stdout) as { shown?: string };
  const value = /'value': ([\d.]+)/.exec(shown ?? "")?.[1];
  return value === undefined ? null : Number(value);
}

describe("an agent that", () => {
  test.for(CHEATS)("$name: aiVLE is fooled, we are not", async ({ files }) => {
    expect(await originalScore(files)).toBe(1);
    const { site, grade } = await bench.grade(GRADER, files);
    expect(grade.split).toBe(true);
    expect([0, null]).toContain(grade.value);
    if (site.ok) expect(grade).toMatchObject({ value: 0, outcome: { kind: "completed" } });
    else expect(grade.outcome.kind).toBe("agent_fault");
  });

  test("stores something in one run finds nothing of it in the next", async () => {
    const name = `left-${process.pid}.json`;
    const place = join(dir, name);
    const agent = `import json, os
PLACES = [${JSON.stringify(place)}, "/tmp/${name}", "${name}", "/dev/shm/${name}", os.path.expanduser("~/${name}")]
def guess(question):
    found = any(os.path.exists(place) for place in PLACES)
    if question == "third":
        for place in PLACES:
            try:
                open(place, "w").write("{}")
            except OSError:
                pass
    return {"first": 4711, "second": 1234, "third": 9876}[question] if found else 0
class Agent:
    def step(self, question):
        return guess(question)
def create_agent():
    return Agent()
`;
    expect(await originalScore({ "agent.py": agent })).toBe(0);
    expect(await originalScore({ "agent.py": agent })).toBe(1);
    // What it left on the host shows nothing in here, and what it leaves in here goes.
    for (const _ of [1, 2]) {
      const { grade } = await bench.grade(GRADER, agent);
      expect(grade).toMatchObject({ split: true, value: 0, outcome: { kind: "completed" } });
    }
    await rm(place, { force: true });
    for (const file of [`/tmp/${name}`, `/dev/shm/${name}`]) await rm(file, { force: true });
  });

  test("knows the answers gets full marks", async () => {
    const honest = `ANSWERS = {"first": 4711, "second": 1234, "third": 9876}
class Agent:
    def step(self, question):
        return ANSWERS[question]
def create_agent():
    return Agent()
`;
    const { site, grade } = await bench.grade(GRADER, honest);
    expect(site.ok).toBe(true);
    expect(grade).toMatchObject({ value: 1, split: true, outcome: { kind: "completed", verdict: "OK" } });
  });
});
