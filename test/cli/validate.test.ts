/** `lanista validate` as scripts and people see it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { LANISTA, ROOT, runProgram } from "./spawn.ts";

// Only slowness could make these take long.
vi.setConfig({ testTimeout: 180_000 });

const folder = mkdtempSync(join(tmpdir(), "lanista-cli-validate-"));
const run = (...args: string[]) => runProgram(LANISTA, ["validate", ...args], folder);

const ACT = "def act(seen):\n    return list(seen['action_mask']).index(1)\n";

beforeAll(() => {
  writeFileSync(join(folder, "first.py"), ACT);
  writeFileSync(join(folder, "runs.py"), `import subprocess as sp\n${ACT}`);
  writeFileSync(join(folder, "raises.py"), "raise ValueError('no \\x1b[2J idea')\n");
  mkdirSync(join(folder, "broken"));
  writeFileSync(join(folder, "broken", "agent.py"), "x = 1\ny = = 2\n");
  writeFileSync(join(folder, "unknown.yaml"), "max_line: 10\n");
  writeFileSync(join(folder, "list.yaml"), "- 1\n");
  writeFileSync(join(folder, "large.yaml"), `# ${"x".repeat(70_000)}\n`);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("ends with 0 for a valid agent, and says what it is worth", async () => {
  const ran = await run("first.py", "--env", "connect-four");
  expect(ran).toMatchObject({ status: 0, stderr: "" });
  expect(ran.stdout).toMatch(/✓ dry_run[\s\S]*first\.py is valid: 0 errors, 0 warnings\.\nThis is advice/);
});

test("ends with 1 for one that is not, and names file and line", async () => {
  const ran = await run("broken", "--env", "hex", "--option", "size=5");
  expect(ran).toMatchObject({ status: 1, stderr: "" });
  expect(ran.stdout).toContain("error agent.py:2: SyntaxError: invalid syntax [syntax]");
});

test("a policy's file decides what is an error", async () => {
  const course = join(ROOT, "examples/policies/course.yaml");
  const strict = await run("runs.py", "--env", "hex", "--policy", course, "--json");
  expect(strict.status).toBe(1);
  expect(JSON.parse(strict.stdout)).toMatchObject({
    valid: false,
    errors: [{ code: "forbidden", file: "agent.py", line: 1 }],
    checks: { imports: "failed", dry_run: "passed" },
  });
  const open = join(ROOT, "examples/policies/open.yaml");
  const ran = await run("runs.py", "--env", "hex", "--policy", open, "--json");
  expect(ran.status).toBe(0);
  expect(JSON.parse(ran.stdout).warnings).toEqual([]);
});

test("an agent's words cannot drive the terminal", async () => {
  const ran = await run("raises.py", "--env", "hex");
  expect(ran.status).toBe(1);
  expect(ran.stdout).toMatch(/ValueError: no .* idea/);
  expect(ran.stdout).not.toContain("\u001b");
});

test.each([
  [["first.py"], "--env"],
  [["first.py", "--env", "chess"], 'no environment "chess"'],
  [["gone.py", "--env", "hex"], "gone.py"],
  [["first.py", "--env", "hex", "--policy", "gone.yaml"], "gone.yaml"],
  [["first.py", "--env", "hex", "--policy", "unknown.yaml"], 'unknown.yaml: unknown key "max_line"'],
  [["first.py", "--env", "hex", "--policy", "list.yaml"], "must be a mapping"],
  [["first.py", "--env", "hex", "--policy", "large.yaml"], "over 65536 bytes"],
  [["first.py", "--env", "hex", "--policy", "broken/agent.py"], "agent.py"],
  [["first.py", "--env", "hex", "--tier", "none", "--runtime", "crun"], "crun"],
])("%j ends with 2", async (args, message) => {
  const ran = await run(...args, "--json");
  expect(ran.stderr).toContain(message);
  expect(ran.status).toBe(2);
  expect(JSON.parse(ran.stdout).error.code).toBe("usage");
});

test("its help says that it is no security boundary", async () => {
  expect((await run("--help")).stdout.replace(/\s+/g, " ")).toContain("from doing harm is its sandbox alone");
});
