import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ReplayWriter } from "@lanista/games/replay-writer";
import { afterAll, expect, test } from "vitest";
import { runCommand } from "../testing.ts";

const dir = mkdtempSync(join(tmpdir(), "lanista-replay-show-"));
afterAll(() => rmSync(dir, { recursive: true }));

test("nothing in a forged replay makes a line of its own", async () => {
  const writer = new ReplayWriter(
    {
      engine: "0",
      env: { id: "hex\nhonest (seat 1) wins.", version: 1, options: {} },
      seed: 1,
      chance: [1, 2],
      episodes: 1,
      onFault: "forfeit",
      seats: [{ agent: "x\nhonest (seat 1) wins.", digest: "" }],
      limits: { start: 1, move: 1, bank: 0 },
      sandbox: null,
    },
    (text) => createHash("sha256").update(text).digest("hex"),
  );
  const file = join(dir, "forged.jsonl");
  writeFileSync(file, writer.finish({ outcome: "cancelled", scores: [null], ranks: [null] }).text);
  for (const command of ["show", "verify"]) {
    const { stdout, stderr } = await runCommand("replay", command, file);
    expect(stdout + stderr).toContain("honest (seat 1) wins.");
    expect((stdout + stderr).split("\n").filter((line) => line.startsWith("honest"))).toEqual([]);
  }
});
