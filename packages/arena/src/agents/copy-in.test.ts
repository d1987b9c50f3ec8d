import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { copyIn } from "./copy-in.ts";

let root: string;
let from: string;
let to: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "lanista-copy-"));
  from = join(root, "from");
  to = join(root, "to");
  await mkdir(from);
  await mkdir(to);
});
afterEach(() => rm(root, { recursive: true }));

async function write(path: string, mode: number): Promise<void> {
  await writeFile(join(from, path), path);
  await chmod(join(from, path), mode);
}

async function expectCopied(path: string, mode: number): Promise<void> {
  expect(await readFile(join(to, path), "utf8")).toBe(path);
  expect((await stat(join(to, path))).mode & 0o777).toBe(mode);
}

describe("an agent's files", () => {
  it("keep their modes when they are few", async () => {
    await write("run", 0o755);
    await write("data.bin", 0o644);
    await copyIn({ dir: from, bytes: 11 }, to);
    await expectCopied("run", 0o755);
    await expectCopied("data.bin", 0o644);
  });

  it("are copied with their folders", async () => {
    await mkdir(join(from, "deep", "deeper"), { recursive: true });
    await write("deep/deeper/run", 0o755);
    await write("agent.py", 0o644);
    await copyIn({ dir: from, bytes: 23 }, to);
    await expectCopied("deep/deeper/run", 0o755);
    await expectCopied("agent.py", 0o644);
  });

  it("are copied when they are many", async () => {
    const names = Array.from({ length: 40 }, (_, i) => `part-${i}`);
    for (const name of names) await write(name, 0o644);
    await copyIn({ dir: from, bytes: 270 }, to);
    for (const name of names) await expectCopied(name, 0o644);
  });
});
