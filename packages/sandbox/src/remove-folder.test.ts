import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { removeBoxFolder } from "./remove-folder.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "lanista-remove-"));
});
afterEach(() => rmSync(root, { recursive: true }));

describe("a box's folder", () => {
  it.each([0, 3, 300])("goes with an agent of %d files", async (files) => {
    const dir = join(root, "box");
    mkdirSync(join(dir, "agent", "deep"), { recursive: true });
    mkdirSync(join(dir, "rootfs", "etc"), { recursive: true });
    for (let i = 0; i < files; i++) writeFileSync(join(dir, "agent", "deep", `f${i}`), "");
    await removeBoxFolder(dir);
    expect(existsSync(dir)).toBe(false);
    expect(existsSync(root)).toBe(true);
  });

  it("may be gone already, or half made", async () => {
    await removeBoxFolder(join(root, "nothing"));
    mkdirSync(join(root, "half"));
    await removeBoxFolder(join(root, "half"));
    expect(existsSync(join(root, "half"))).toBe(false);
  });
});
