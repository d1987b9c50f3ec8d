import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, expect, test, vi } from "vitest";
import { withoutProgress } from "./testing.ts";

// Only slowness could make these take long.
vi.setConfig({ testTimeout: 180_000 });

const dir = mkdtempSync(join(tmpdir(), "lanista-main-"));
afterAll(() => rmSync(dir, { recursive: true }));

/** The command as a process of its own; `stdout`: "left" is a pipe whose reader has gone. */
async function lanista(stdout: "left" | number, ...argv: readonly string[]) {
  const main = join(import.meta.dirname, "main.ts");
  const child = spawn(process.execPath, ["--conditions=lanista-source", main, ...argv], {
    stdio: ["ignore", stdout === "left" ? "pipe" : stdout, "pipe"],
  });
  child.stdout?.destroy();
  const stderr = text(child.stderr!);
  const code = await new Promise((resolve) => child.once("exit", resolve));
  return { code, stderr: withoutProgress(await stderr) };
}

test("who stops reading changes nothing about the exit code", async () => {
  const agent = join(dir, "agent.py");
  writeFileSync(agent, "raise SystemExit(1)\n");
  expect(await lanista("left", "match", "tic-tac-toe", agent, agent, "--tier", "none")).toEqual({
    code: 3,
    stderr: "",
  });
  expect(await lanista("left", "env", "list")).toEqual({ code: 0, stderr: "" });
});

test("what cannot be told, for the disk is full, is our fault, said in one line", async () => {
  const full = openSync("/dev/full", "w");
  try {
    for (const argv of [
      ["env", "list"],
      ["env", "show", "hex", "--json"],
    ]) {
      const { code, stderr } = await lanista(full, ...argv);
      expect(code).toBe(4);
      expect(stderr).toMatch(/^lanista: standard output cannot be written: .*ENOSPC.*\n$/);
    }
  } finally {
    closeSync(full);
  }
});
