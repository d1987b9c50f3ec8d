/** `make` in a checkout sets up again what was removed. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "./spawn.ts";

test("make test sets up where node_modules was removed, and only there", () => {
  const checkout = mkdtempSync(join(tmpdir(), "lanista-make-"));
  const env = { ...process.env, MAKEFLAGS: "" };
  const make = (...words: string[]) => execFileSync("make", words, { cwd: checkout, encoding: "utf8", env });
  try {
    for (const file of ["Makefile", "package.json", "package-lock.json", "scripts/host-packages.sh"])
      cpSync(join(ROOT, file), join(checkout, file));
    expect(make("--dry-run", "test")).toContain("npm install");
    for (const folder of ["node_modules", ".cache"]) mkdirSync(join(checkout, folder));
    make("--touch", "setup");
    expect(make("--dry-run", "test")).not.toContain("npm install");
    rmSync(join(checkout, "node_modules"), { recursive: true });
    expect(make("--dry-run", "test")).toContain("npm install");
  } finally {
    rmSync(checkout, { recursive: true });
  }
});
