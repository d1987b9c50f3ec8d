/**
 * The command is killed by SIGKILL at random moments of a tournament: within a second no process of it is left, and the
 * next start leaves no folder and no control group. LANISTA_KILLS says how often (default 6).
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SandboxHost } from "@lanista/sandbox/host";
import { afterAll, expect, test } from "vitest";
import { LeftBehind } from "./support/left-behind.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const KILLS = Number(process.env.LANISTA_KILLS ?? 6);
const runDir = mkdtempSync(join(tmpdir(), "lanista-killed-"));
afterAll(() => rmSync(runDir, { recursive: true, force: true }));

const left = new LeftBehind(runDir);

test(`nothing survives ${KILLS} kills`, { timeout: 30_000 + KILLS * 10_000 }, async () => {
  const agents = ["python/random.py", "python/hex/greedy.py", "javascript/random.mjs"].map((path) =>
    join(ROOT, "examples/agents", path),
  );
  const argv = [
    "--conditions=lanista-source",
    join(ROOT, "packages/cli/src/main.ts"),
    "tournament",
    "hex",
    ...agents,
    "--option",
    "size=7",
    "--rounds",
    "50",
    "--concurrency",
    "2",
  ];
  let sawBoxes = 0;
  let sawFolders = 0;
  const took: number[] = [];
  for (let kill = 0; kill < KILLS; kill++) {
    const child = spawn(process.execPath, argv, { env: { ...process.env, LANISTA_RUN_DIR: runDir }, stdio: "ignore" });
    const exited = new Promise((resolve) => child.once("exit", (_code, signal) => resolve(signal)));
    // The moments spread over the command's start, its first boxes and the middle of matches.
    if (kill % 4 !== 0) for (let i = 0; i < 1000 && !left.hasBoxes(); i++) await sleep(20);
    await sleep(Math.random() * 1200);
    if (left.hasBoxes()) sawBoxes++;
    left.folders();
    child.kill("SIGKILL");
    expect(await exited).toBe("SIGKILL");
    took.push(await left.gone());
    expect(left.processes()).toEqual([]);
    if (left.folders().length > 0) sawFolders++;
    // The next start.
    const host = await SandboxHost.open({ runDir });
    await host.close();
    expect(left.folders()).toEqual([]);
    expect(left.groups()).toEqual([]);
  }
  // A host that is starved for a moment may cost one its second, not most of them.
  expect(took.sort((one, other) => one - other)[Math.floor(KILLS / 2)]).toBeLessThan(1000);
  expect(sawFolders).toBeGreaterThan(0);
  // Without boxes at the moment of the kill nothing would have been shown.
  expect(sawBoxes).toBeGreaterThan(0);
});
