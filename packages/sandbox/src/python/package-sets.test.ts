import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cgroupLayout } from "../cgroup-layout.ts";
import { unenforceable } from "../enforceable.ts";
import { SandboxHost } from "../host.ts";
import { findExecutable } from "../runtimes.ts";
import { startIndex } from "../testing/index-server.ts";
import { GUEST_DIR, makeSource, makeWheel, uvForTests } from "../testing/packages.ts";
import type { ReadOnlyMount, Sandbox } from "../types.ts";
import { PackageSets, type PackageSetsOptions } from "./package-sets.ts";

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

const open = (options: Partial<PackageSetsOptions> = {}): Promise<PackageSets> =>
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

  it("are known by everything that decides what is in them, and by nothing else", async () => {
    const constraints = join(dir, "constraints.txt");
    writeFileSync(constraints, "plain<2\n");
    const index = { offline: true, findLinks: [folder] };
    const key = async (text: string, options: Partial<PackageSetsOptions> = {}): Promise<string> => {
      const sets = await open(options);
      try {
        const set = await sets.ensure(text);
        set.release();
        return set.key;
      } finally {
        await sets.close();
      }
    };
    const plain = await key("plain");
    expect(await key("# a comment\n  Plain\r\n\nplain")).toBe(plain);
    const sets = await open({ index: { ...index, constraints } });
    const held = await sets.ensure("plain");
    expect(held.key).not.toBe(plain);
    expect(sets.list().find((one) => one.key === held.key)?.packages).toEqual(["plain==1.0"]);
    expect(sets.list().find((one) => one.key === plain)?.packages).toEqual(["plain==2.0"]);
    await sets.close();
    // What the folder offers has changed: what is newest may have too.
    makeWheel(folder, "another", "1.0", { "another.py": "" });
    expect(await key("plain")).not.toBe(plain);
  });

  it("are collected by age and size, the longest unused first, and never one that is in use", async () => {
    const sets = await open({ cacheDir: join(dir, "cache-collected") });
    const [one, two] = [await sets.ensure("plain==1.0"), await sets.ensure("plain==2.0")];
    const keys = (all: readonly { readonly key: string }[]): string[] => all.map(({ key }) => key);
    expect(sets.list().every(({ inUse }) => inUse)).toBe(true);
    expect(await sets.collect({ maxAgeSeconds: 0 })).toEqual([]);
    // Another process's lease counts as well; that of a dead one does not.
    const leases = join(dir, "cache-collected/packages/leases", two.key);
    one.release();
    two.release();
    two.release();
    writeFileSync(join(leases, `${host.name}.0000abcd`), "");
    writeFileSync(join(leases, "lanista-1-1-1-00000000.0000abcd"), "");
    expect(keys(await sets.collect({ maxAgeSeconds: 0 }))).toEqual([one.key]);
    expect(keys(sets.list())).toEqual([two.key]);
    rmSync(join(leases, `${host.name}.0000abcd`));
    // Of another pid namespace nothing is known but when it was last renewed.
    expect(await sets.collect({ maxBytes: 0 })).toEqual([]);
    utimesSync(join(leases, "lanista-1-1-1-00000000.0000abcd"), 1, 1);
    expect(keys(await sets.collect({ maxBytes: 1e9 }))).toEqual([]);
    expect(keys(await sets.collect({ maxBytes: 0 }))).toEqual([two.key]);
    expect(sets.list()).toEqual([]);
    // It is built again.
    (await sets.ensure("plain==2.0")).release();
    expect(keys(sets.list())).toEqual([two.key]);
    await sets.close();
  });

  it("whose collector was killed half-way are handed out again, or built anew", async () => {
    const sets = await open();
    const set = await sets.ensure("plain==1.0");
    set.release();
    writeFileSync(join(dir, "cache/packages/sets", set.key, "collecting"), "");
    const lines: string[] = [];
    (await sets.ensure("plain==1.0", { onProgress: (line) => lines.push(line) })).release();
    expect(lines).toEqual([]);
    expect(existsSync(join(dir, "cache/packages/sets", set.key, "collecting"))).toBe(false);
    await sets.close();
  });

  it("come from an index in HTML as in JSON, and from an extra one first", async () => {
    const other = join(dir, "other");
    makeWheel(other, "plain", "3.0", { "plain.py": "NAME = 'another index'\n" });
    const [html, json] = [await startIndex(folder, { format: "html" }), await startIndex(other)];
    const index = { indexUrl: html.url, extraIndexUrls: [json.url], findLinks: [] };
    const sets = await open({ index });
    try {
      const set = await sets.ensure("plain\nanother");
      expect(sets.list().find(({ key }) => key === set.key)?.packages).toEqual(["another==1.0", "plain==3.0"]);
      expect(await say([set.python, "-c", "import plain; print(plain.NAME)"], set.mounts)).toBe("another index");
      set.release();
    } finally {
      await sets.close();
      await Promise.all([html.close(), json.close()]);
    }
  });

  it("end with what the index may send, by bytes", async () => {
    makeWheel(join(dir, "large"), "large", "1.0", { "large.py": `#${"x".repeat(2_000_000)}\n` });
    const server = await startIndex(join(dir, "large"));
    const index = { indexUrl: server.url, extraIndexUrls: [], findLinks: [] };
    const small = await open({ index, limits: { downloadBytes: 1_000_000 } });
    await expect(small.ensure("large")).rejects.toMatchObject({
      kind: "requirements",
      message: expect.stringMatching(/1000000 bytes/),
    });
    await small.close();
    const roomy = await open({ index, limits: { downloadBytes: 12_000_000 } });
    (await roomy.ensure("large")).release();
    await roomy.close();
    await server.close();
  });

  it("are not built on when nobody waits any more, and are when somebody still does", async () => {
    makeSource(folder, "slow", "1.0", "import time\ntime.sleep(3)");
    const sets = await open();
    const abort = new AbortController();
    const given = sets.ensure("slow", { signal: abort.signal });
    const other = sets.ensure("slow");
    setTimeout(() => abort.abort(new Error("enough")), 1000);
    await expect(given).rejects.toThrow("enough");
    (await other).release();
    const alone = new AbortController();
    const unwanted = sets.ensure("slow\nplain", {
      signal: alone.signal,
      onProgress: (line) => line.includes("Building") && alone.abort(new Error("enough")),
    });
    await expect(unwanted).rejects.toThrow("enough");
    await sets.close();
    expect(host.live).toBe(0);
    expect(readdirSync(join(dir, "cache/packages/stage"))).toEqual([]);
    await expect(sets.ensure("plain")).rejects.toMatchObject({ kind: "infra" });
  });
});

it.skipIf(uv === null)("a cache folder that others may get into is refused", async () => {
  const cacheDir = join(dir, "open-cache");
  mkdirSync(join(cacheDir, "packages"), { recursive: true });
  chmodSync(join(cacheDir, "packages"), 0o777);
  await expect(open({ cacheDir })).rejects.toMatchObject({ code: "refused" });
});
