import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { runCommand } from "../testing.ts";

const dir = mkdtempSync(join(tmpdir(), "lanista-unwritten-"));
afterAll(() => rmSync(dir, { recursive: true }));
const agent = join(dir, "first.py");
writeFileSync(agent, "def act(seen):\n    return list(seen['action_mask']).index(1)\n");
const blocked = join(dir, "blocked");
writeFileSync(blocked, "");

test("a match whose replay cannot be written is told, with 4", async () => {
  const replay = join(blocked, "x.jsonl");
  const ran = await runCommand("match", "tic-tac-toe", agent, agent, "--tier", "none", "--replay", replay, "--json");
  expect(ran.code).toBe(4);
  const result = JSON.parse(ran.stdout);
  expect(result).toMatchObject({ outcome: { kind: "completed" } });
  expect(result.replay.file).toBeNull();
  expect(result.unwritten[0].file).toBe(replay);
});

test("so is a tournament, in words", async () => {
  const ran = await runCommand("tournament", "tic-tac-toe", agent, agent, "--tier", "none", "--replays", blocked);
  expect(ran.code).toBe(4);
  expect(ran.stdout).toContain("Files of 2 matches are missing; the results stand:");
  expect(ran.stdout).toContain(`could not write ${join(blocked, "match-1.jsonl")}`);
});
