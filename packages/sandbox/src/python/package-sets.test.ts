import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cgroupLayout } from "../cgroup-layout.ts";
import { unenforceable } from "../enforceable.ts";
import { SandboxHost } from "../host.ts";
import { findExecutable } from "../runtimes.ts";
import { GUEST_DIR, makeSource, makeWheel, uvForTests } from "../testing/packages.ts";
import type { ReadOnlyMount, Sandbox } from "../types.ts";
import { PackageSets } from "./package-sets.ts";

const uv = await uvForTests();
const RUNTIMES = (["crun", "runc"] as const).filter((runtime) => findExecutable(runtime) !== undefined);
const giveUp = [...unenforceable("crun", cgroupLayout(), process.getuid?.() !== 0).keys()];

let dir: string;
let folder: string;
let host: SandboxHost;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "lanista-packages-"));
  folder = join(dir, "find-links");
  host = await SandboxHost.open({ runDir: join(dir, "run") });
  makeWheel(
    folder,
    "plain",
    "1.0",
    { "plain.py": "NAME = 'plain one'\ndef main(): print('ran', NAME)\n" },
    { plain: "plain:main" },
  );
  makeWheel(folder, "plain", "2.0", { "plain.py": "NAME = 'plain two'\n" });
  makeSource(folder, "built", "1.0", 'return {"built.py": "HOW = \'from source\'"}');
});
afterAll(async () => {
  await host.close();
  await rm(dir, { recursive: true, force: true });
});

const open = (options: Partial<Parameters<typeof PackageSets.open>[0]> = {}): Promise<PackageSets> =>
  PackageSets.open({
    host,
    guestDir: GUEST_DIR,
    cacheDir: join(dir, "cache"),
    uv: uv!,
    giveUp,
    index: { offline: true, findLinks: [folder] },
    ...options,
  });

async function say(argv: readonly string[], mounts: readonly ReadOnlyMount[]): Promise<string> {
  const box: Sandbox = await host.start({ tier: "container", argv, mounts, giveUp });
  box.stdin.end();
  let text = "";
  for (const stream of [box.stdout, box.stderr]) stream.on("data", (piece: Buffer) => (text += piece.toString()));
  await box.ended;
  return text.trim();
}

describe.skipIf(uv === null || RUNTIMES.length === 0)("sets of packages", () => {
  it.each(RUNTIMES)("are built under %s, and seen at /packages by other boxes", async (runtime) => {
    const sets = await open({ runtime, cacheDir: join(dir, `cache-${runtime}`) });
    const lines: string[] = [];
    const set = await sets.ensure("plain==1.0\nbuilt\n", { onProgress: (line) => lines.push(line) });
    try {
      expect(set.key).toMatch(/^[0-9a-f]{64}$/);
      expect(lines.join("\n")).toContain("plain==1.0");
      const code =
        "import plain, built, sys; print(plain.NAME, built.HOW, plain.__file__, plain.__cached__, sys.prefix)";
      expect(await say([set.python, "-c", code], set.mounts)).toMatch(
        /^plain one from source \/packages\/lib\/python3\.\d+\/site-packages\/plain\.py \S+\.pyc \/packages$/,
      );
      // Its programs find their interpreter.
      expect(await say(["/packages/bin/plain"], set.mounts)).toBe("ran plain one");
    } finally {
      set.release();
      await sets.close();
    }
  });
});
