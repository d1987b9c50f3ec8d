/** A release that fails, put in from outside: nothing that an agent can do makes one fail. */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AgentBoxes } from "@lanista/arena/agent-boxes";
import { SandboxHost } from "@lanista/sandbox/host";
import { afterAll, afterEach, expect, test, vi } from "vitest";
import { withArena } from "./arena.ts";
import { runCommand } from "./testing.ts";

const dir = mkdtempSync(join(tmpdir(), "lanista-arena-"));
const agent = join(dir, "first.py");
writeFileSync(agent, "def act(seen):\n    return list(seen['action_mask']).index(1)\n");
afterEach(() => vi.restoreAllMocks());
afterAll(() => rmSync(dir, { recursive: true }));

test("the host is closed though the boxes cannot be, and what came of it is given back", async () => {
  vi.stubEnv("LANISTA_RUN_DIR", join(dir, "run"));
  vi.spyOn(AgentBoxes.prototype, "close").mockRejectedValue(new Error("no boxes"));
  const told: string[] = [];
  const names = await withArena(
    [agent, agent],
    { tier: "none" },
    async (contenders) => {
      expect(readdirSync(join(dir, "run"))).toHaveLength(1);
      return contenders.map(({ name }) => name);
    },
    ({ message }) => told.push(message),
  );
  vi.unstubAllEnvs();
  expect(names).toEqual(["first.py #1", "first.py #2"]);
  expect(told).toEqual(["no boxes"]);
  expect(existsSync(join(dir, "run")) ? readdirSync(join(dir, "run")) : []).toEqual([]);
});

test.each([
  ["match", ["tic-tac-toe", agent, agent], { outcome: { kind: "completed" } }],
  ["tournament", ["tic-tac-toe", agent, agent], { cancelled: false }],
  ["validate", [agent, "--env", "tic-tac-toe"], { valid: true }],
] as const)("%s gives one document, its result, though the host cannot be closed", async (command, words, result) => {
  const { close } = SandboxHost.prototype;
  vi.spyOn(SandboxHost.prototype, "close").mockImplementation(async function (this: SandboxHost) {
    await close.call(this);
    throw new Error("no\nhost");
  });
  const ran = await runCommand(command, ...words, "--tier", "none", "--json");
  expect(JSON.parse(ran.stdout)).toMatchObject(result);
  expect(ran.stderr).toBe("Not everything could be removed (lanista doctor --clean tries again): no host\n");
  expect(ran.code).toBe(0);
});
