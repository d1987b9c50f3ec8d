/** Environments from bundles as scripts and people meet them: the starter, `env check`, `match`, `replay verify`. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LIBRARIES } from "../environments/support.ts";
import { LANISTA, runProgram } from "./spawn.ts";

const folder = mkdtempSync(join(tmpdir(), "lanista-cli-bundled-"));
const run = (...args: string[]) => runProgram(LANISTA, args, folder);

/** An environment without libraries, so that it needs no packages. `step` ends the body of its step. */
function bundle(name: string, step: string, manifest = ""): void {
  mkdirSync(join(folder, name));
  writeFileSync(
    join(folder, name, "environment.yaml"),
    `environment: 1\nid: ${name}\nentry: bare:Env\napi: gymnasium\nreturn_range: [0, 5]\n${manifest}`,
  );
  writeFileSync(
    join(folder, name, "bare.py"),
    `
import os, random
class Discrete:
    def __init__(self, n): self.n = n
    def seed(self, seed): pass
class Env:
    action_space, observation_space = Discrete(2), Discrete(100)
    every = 0
    def reset(self, seed=None):
        self.steps = 0
        return random.randrange(100), {}
    def step(self, action):
        self.steps += 1
        self.every += 1
        seen, reward, over = random.randrange(100), action, self.steps == 4
        ${step}
        return seen, reward, over, False, {}
`,
  );
}

beforeAll(() => {
  bundle("fair", "");
  bundle("forgetful", "seen = os.urandom(1)[0] % 100");
  bundle("clinging", "seen = self.every % 100");
  bundle("generous", "reward = 7");
  bundle("broken", "raise RuntimeError('not \\\\x1b[2J today')");
  bundle("misspelt", "", "max_step: 3\n");
  writeFileSync(join(folder, "one.py"), "def act(seen):\n    return 1\n");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a match is played, its replay verified with the bundle and not without it", async () => {
  const played = await run("match", "fair", "one.py", "--seed", "4", "--replay", "game.jsonl", "--json");
  expect(played.status, played.stderr).toBe(0);
  const result = JSON.parse(played.stdout);
  expect(result).toMatchObject({
    env: "fair",
    steps: 4,
    seats: [{ score: 4 }],
    environment: { sandbox: { tier: "container" } },
  });
  const without = await run("replay", "verify", "game.jsonl");
  expect(without.status).toBe(1);
  expect(without.stdout).toContain(
    `the bundle ${result.environment.bundle}, which is not here: name it with --env-bundle`,
  );
  expect(await run("replay", "verify", "game.jsonl", "--env-bundle", "fair")).toMatchObject({ status: 0 });
  const other = await run("replay", "verify", "game.jsonl", "--env-bundle", "generous");
  expect(other.status).toBe(2);
  expect(other.stderr).toContain("the replay is of the bundle");
  expect((await run("replay", "show", "game.jsonl")).status).toBe(0);
});

test("an environment under a built-in one's name is never taken for that", async () => {
  const manifest = readFileSync(join(folder, "fair", "environment.yaml"), "utf8");
  const named = manifest.replace(/^id: .*$/m, "id: connect-four");
  expect(named).not.toBe(manifest);
  cpSync(join(folder, "fair"), join(folder, "connect-four"), { recursive: true });
  writeFileSync(join(folder, "connect-four", "environment.yaml"), named);
  // A built-in environment's id comes first; a path is the bundle.
  expect((await run("env", "show", "connect-four")).stdout).not.toContain("fair");
  const played = await run("match", "./connect-four", "one.py", "--replay", "posing.jsonl", "--json");
  expect(played.status, played.stderr).toBe(0);
  expect(JSON.parse(played.stdout)).toMatchObject({ env: "connect-four", environment: { bundle: expect.any(String) } });
  const verified = await run("replay", "verify", "posing.jsonl");
  expect(verified.status).toBe(1);
  expect(verified.stdout).toContain("connect-four is no built-in environment, but that of the bundle");
  expect((await run("replay", "verify", "posing.jsonl", "--env-bundle", "./connect-four")).status).toBe(0);
}, 60_000);

test.each([
  ["fair", 0, []],
  ["forgetful", 1, ["determinism"]],
  ["clinging", 1, ["reset"]],
  ["generous", 1, ["return-range"]],
  ["broken", 1, ["plays"]],
])("env check of one that is %s", async (name, status, checks) => {
  const checked = await run("env", "check", name, "--json", "--episodes", "2");
  expect(checked.status, checked.stderr).toBe(status);
  const { findings, ok } = JSON.parse(checked.stdout);
  expect(ok).toBe(status === 0);
  const found = findings.map((one: { check: string }) => one.check);
  for (const check of checks) expect(found).toContain(check);
});

test("env show says what it opens", async () => {
  const shown = await run("env", "show", "fair");
  expect(shown.stdout).toMatch(/fair, version 1/);
  expect(shown.stdout).toMatch(/seat 0 +agent: sees Discrete\(100\), plays Discrete\(2\)/);
  expect(JSON.parse((await run("env", "show", "fair", "--json")).stdout)).toMatchObject({
    id: "fair",
    seats: [{ name: "agent", actionSpace: { type: "Discrete", n: 2 }, masked: false }],
    returnRange: [0, 5],
  });
});

test("what cannot be, is said with its place", async () => {
  const misspelt = await run("match", "misspelt", "one.py");
  expect(misspelt.status).toBe(2);
  expect(misspelt.stderr).toContain('Unrecognized key: "max_step"');
  const alone = await run("match", "fair", "one.py", "one.py");
  expect(alone.stderr).toContain("fair has 1 seat, but 2 agents were given");
  const broken = await run("match", "broken", "one.py");
  expect(broken.status).toBe(4);
  expect(broken.stdout).toContain("the environment was at fault");
  expect(broken.stdout).not.toContain("\u001b[2J");
  expect((await run("match", ".", "one.py")).stderr).toContain("there is no environment.yaml at its root");
});

test.skipIf(LIBRARIES === null)("the starter conforms, with the packages that it asks for", async () => {
  expect((await run("init", "env", "--lang", "gymnasium", "MyNim")).stdout).toContain("lanista env check MyNim");
  expect(readFileSync(join(folder, "MyNim", "environment.yaml"), "utf8")).toContain("id: my-nim");
  const checked = await run("env", "check", "MyNim");
  expect(checked.status, checked.stdout + checked.stderr).toBe(0);
  writeFileSync(join(folder, "legal.py"), "def act(seen):\n    return list(seen['action_mask']).index(1)\n");
  const played = await run("match", "MyNim", "legal.py", "--option", "sticks=9");
  expect(played.status, played.stdout + played.stderr).toBe(0);
});
