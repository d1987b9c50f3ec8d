/** A command that computes without a pause can be ended from outside all the same. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { LANISTA } from "./spawn.ts";

const folder = mkdtempSync(join(tmpdir(), "lanista-cli-interrupt-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A module that writes its process's id into the file and never comes back. */
const LOOPS = {
  "loops.mjs": (file: string) =>
    `import { writeFileSync } from "node:fs";\nwriteFileSync("${file}", String(process.pid));\nfor (;;);\n`,
  "loops.py": (file: string) => `import os\nopen("${file}", "w").write(str(os.getpid()))\nwhile True:\n    pass\n`,
} as const;

const runs = (pid: number): boolean => {
  try {
    // A process that is over and not yet asked after does not run.
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
};

test.each([
  ["loops.mjs", "SIGINT"],
  ["loops.py", "SIGTERM"],
] as const)("an endless loop in %s ends by %s, and leaves no process", { timeout: 120_000 }, async (name, signal) => {
  const began = join(folder, `${name}.${signal}`);
  const file = join(folder, name);
  writeFileSync(file, LOOPS[name](began));
  const child = spawn(LANISTA, ["env", "check", file, "--json"], { stdio: "ignore" });
  const ended = new Promise((resolve) => child.on("close", (_status, by) => resolve(by)));
  try {
    await expect
      .poll(() => (existsSync(began) ? readFileSync(began, "utf8") : ""), { timeout: 60_000 })
      .toMatch(/^\d+$/);
    child.kill(signal);
    expect(await ended).toBe(signal);
    await expect.poll(() => runs(Number(readFileSync(began, "utf8"))), { timeout: 10_000 }).toBe(false);
  } finally {
    child.kill("SIGKILL");
  }
});
