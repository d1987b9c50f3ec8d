import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";

/** The command as a process of its own; `stdout`: "left" is a pipe whose reader has gone. */
async function lanista(stdout: "left" | number, ...argv: readonly string[]) {
  const main = join(import.meta.dirname, "main.ts");
  const child = spawn(process.execPath, ["--conditions=lanista-source", main, ...argv], {
    stdio: ["ignore", stdout === "left" ? "pipe" : stdout, "pipe"],
  });
  child.stdout?.destroy();
  const stderr = text(child.stderr!);
  const code = await new Promise((resolve) => child.once("exit", resolve));
  return { code, stderr: await stderr };
}

test("who stops reading changes nothing about the exit code", async () => {
  expect(await lanista("left", "env", "show", "hexx", "--json")).toMatchObject({ code: 2 });
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
