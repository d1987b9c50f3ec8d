/**
 * `lanista grade grader.zip agent.zip` is killed by SIGKILL at random moments, while both bundles hold processes that no signal
 * ends: none of them is left, and the next start, or `lanista doctor --clean`, leaves no folder and no control group.
 * LANISTA_KILLS says how often (default 6).
 */
import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { SandboxHost } from "@lanista/sandbox/host";
import { afterAll, expect, test } from "vitest";
import { ZipFile } from "yazl";
import { ROOT } from "../cli/spawn.ts";
import { LeftBehind } from "./support/left-behind.ts";

const MAIN = join(ROOT, "packages/cli/src/main.ts");
const KILLS = Number(process.env.LANISTA_KILLS ?? 6);
const dir = mkdtempSync(join(tmpdir(), "lanista-grade-killed-"));
const [runDir, temporary] = [join(dir, "run"), join(dir, "tmp")];
for (const folder of [runDir, temporary]) mkdirSync(folder);
const left = new LeftBehind(runDir);
const env = { ...process.env, LANISTA_RUN_DIR: runDir, TMPDIR: temporary };
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A grandchild in a session of its own, deaf to every signal that can be ignored. */
const STAYS = `
import os, signal, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in range(1, 32):
            try:
                signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError):
                pass
        while True:
            time.sleep(1)
    os._exit(0)
os.wait()
`;
const AGENT = `${STAYS}
class Agent:
    def step(self, state):
        time.sleep(0.02)
        return state
def create_agent(**kwargs):
    return Agent()
`;
const GRADER = `${STAYS}
import pickle
from agent import create_agent
agent = create_agent()
value = sum(agent.step(1) for _ in range(40))
print(pickle.dumps({"suite_id": 1, "results": [{"case_id": 0, "result": {"name": "n", "detail": "", "value": value, "error": None}}]}))
`;

async function zip(name: string, files: Readonly<Record<string, string>>): Promise<string> {
  const made = new ZipFile();
  for (const [file, text] of Object.entries(files)) made.addBuffer(Buffer.from(text), file);
  made.end();
  await finished(made.outputStream.pipe(createWriteStream(join(dir, name))));
  return join(dir, name);
}

test(`nothing of a grading survives ${KILLS} kills`, { timeout: 60_000 + KILLS * 10_000 }, async () => {
  const grader = await zip("grader.zip", { "bootstrap.sh": "python grader.py\n", "grader.py": GRADER });
  const agent = await zip("agent.zip", { "agent.py": AGENT });
  const lanista = (...words: string[]) => {
    const child = spawn(process.execPath, ["--conditions=lanista-source", MAIN, ...words], { env, stdio: "ignore" });
    return { child, exited: new Promise((resolve) => child.once("exit", (code, signal) => resolve(signal ?? code))) };
  };
  const clean = async (): Promise<void> => {
    const host = await SandboxHost.open({ runDir });
    await host.close();
  };
  // It is a grading that comes to its end where nobody kills it, although its processes stay.
  expect(await lanista("grade", grader, agent).exited).toBe(0);
  expect(left.processes()).toEqual([]);
  let [sawBoxes, sawFolders] = [0, 0];
  for (let kill = 0; kill < KILLS; kill++) {
    const { child, exited } = lanista("grade", grader, agent);
    // From the start of its boxes, while it runs, and while its result is read.
    for (let i = 0; i < 1000 && !left.hasBoxes(); i++) await sleep(20);
    await sleep(Math.random() * 1500);
    left.folders();
    if (left.hasBoxes()) sawBoxes++;
    child.kill("SIGKILL");
    await exited;
    await left.gone();
    expect(left.processes()).toEqual([]);
    if (left.folders().length > 0) sawFolders++;
    await (kill === KILLS - 1 ? lanista("doctor", "--clean").exited : clean());
    expect(left.folders()).toEqual([]);
    expect(left.groups()).toEqual([]);
    expect(readdirSync(temporary)).toEqual([]);
  }
  expect(sawBoxes).toBeGreaterThan(0);
  expect(sawFolders).toBeGreaterThan(0);
});
