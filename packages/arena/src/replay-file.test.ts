import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readReplayText, writeReplayFile } from "./replay-file.ts";

const dir = mkdtempSync(join(tmpdir(), "lanista-replay-file-"));
afterAll(() => rmSync(dir, { recursive: true }));

test("what is written is read, plain and packed, up to the bound", async () => {
  for (const name of ["a.jsonl", "a.jsonl.gz"]) {
    await writeReplayFile(join(dir, name), "Björn\n");
    expect(await readReplayText(join(dir, name))).toBe("Björn\n");
  }
  writeFileSync(join(dir, "full"), "x".repeat(1000));
  expect(await readReplayText(join(dir, "full"), 1000)).toHaveLength(1000);
  await expect(readReplayText(join(dir, "full"), 999)).rejects.toThrow("larger than 999 bytes");
});

test("what never ends is refused at once", async () => {
  const fifo = join(dir, "fifo");
  execFileSync("mkfifo", [fifo]);
  for (const path of [fifo, "/dev/zero", dir])
    await expect(readReplayText(path), path).rejects.toThrow("not a regular file");
});

test("a file that says it is empty is read within the bound", async () => {
  // The kernel gives 0 as the size of what stands under /proc.
  await expect(readReplayText("/proc/self/maps", 100)).rejects.toThrow("larger than 100 bytes");
});
