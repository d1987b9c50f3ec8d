/** Images from strangers: what is good becomes a root, once; what is not is refused before anything of it is used. */
import { execFileSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findExecutable } from "../runtimes.ts";
import { kindInRoot } from "./in-root.ts";
import { defaultBounds, RootCache } from "./root-cache.ts";
import { archiveOf, type Entry, type Files, layoutFiles, savedFiles, sha256, tarOf, writeFiles } from "./testing.ts";

const OWNER = "lanista-1-1-1-00000000";

let dir: string;
let cache: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "lanista-roots-"));
  cache = join(dir, "cache");
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const open = (bounds = defaultBounds): RootCache => new RootCache(OWNER, cache, bounds);
const hello: readonly Entry[] = [
  { name: "bin", type: "directory", mode: 0o755 },
  { name: "bin/hello", mode: 0o755, body: "#!/bin/sh\n" },
];
let count = 0;
const folder = (files: Files): string => writeFiles(join(dir, `image-${++count}`), files);
const refused = (image: string, message: RegExp, bounds = defaultBounds) =>
  expect(open(bounds).get(image)).rejects.toMatchObject({
    name: "SandboxError",
    code: "refused",
    message: expect.stringMatching(message),
  });
/** What is in the cache beside whole roots. */
const halfBuilt = (): string[] =>
  existsSync(join(cache, "roots"))
    ? readdirSync(join(cache, "roots")).filter((name) => !name.startsWith("sha256-"))
    : [];

describe.skipIf(findExecutable("umoci") === undefined)("an image becomes a root", () => {
  test.each(["none", "gzip", "zstd"] as const)("from a layout's folder, its layers %s", async (compress) => {
    const files = layoutFiles([await tarOf(hello)], { compress });
    const root = await open().get(folder(files));
    expect(readFileSync(join(root.folder, "bin/hello"), "utf8")).toBe("#!/bin/sh\n");
    const { manifests } = JSON.parse(String(files["index.json"])) as { manifests: { digest: string }[] };
    expect(root.digest).toBe(manifests[0]!.digest);
    expect(halfBuilt()).toEqual([]);
    expect(lstatSync(join(cache, "roots")).mode & 0o777).toBe(0o700);
  });

  test("from an archive of a layout, plain or gzip, the same root", async () => {
    const files = layoutFiles([await tarOf(hello)]);
    const [plain, pressed] = [join(dir, "image.tar"), join(dir, "image.tar.gz")];
    writeFileSync(plain, await archiveOf(files));
    writeFileSync(pressed, gzipSync(await archiveOf(files)));
    const digests = [folder(files), plain, pressed].map(async (image) => (await open().get(image)).digest);
    expect(new Set(await Promise.all(digests)).size).toBe(1);
    expect(readdirSync(join(cache, "roots"))).toHaveLength(1);
  });

  test("from what docker save wrote, by the image's id", async () => {
    const files = savedFiles([await tarOf(hello)], ["agents/a:1"]);
    const archive = join(dir, "saved.tar");
    writeFileSync(archive, await archiveOf(files));
    const root = await open().get(archive);
    expect(existsSync(join(root.folder, "bin/hello"))).toBe(true);
    expect(`${root.digest.slice("sha256:".length)}.json` in files).toBe(true);
    await expect(open().get(`${archive}:1`)).resolves.toEqual(root);
    await refused(`${archive}:2`, /agents\/a:1/);
  });

  test("by the tag that is asked for", async () => {
    const [a, b] = [layoutFiles([await tarOf(hello)], { tag: "a" }), layoutFiles([await tarOf([])], { tag: "b" })];
    const both = [a, b].flatMap((one) => (JSON.parse(String(one["index.json"])) as { manifests: object[] }).manifests);
    const image = folder({ ...a, ...b, "index.json": JSON.stringify({ manifests: both }) });
    expect(existsSync(join((await open().get(`${image}:a`)).folder, "bin"))).toBe(true);
    expect(existsSync(join((await open().get(`${image}:b`)).folder, "bin"))).toBe(false);
    await refused(image, /there are: a, b/);
  });

  test("once, however many ask at once, here and in another process", async () => {
    const image = folder(layoutFiles([await tarOf(hello)]));
    const [one, other] = [open(), new RootCache("lanista-2-2-2-00000000", cache)];
    const roots = await Promise.all([one, one, other, other, one].map((each) => each.get(image)));
    expect(new Set(roots.map((root) => root.folder)).size).toBe(1);
    expect(readdirSync(join(cache, "roots"))).toHaveLength(1);
  });

  test("later layers over earlier ones, whiteouts and all", async () => {
    const first = await tarOf([
      ...hello,
      { name: "etc", type: "directory" },
      { name: "etc/a", body: "1" },
      { name: "etc/b", body: "1" },
    ]);
    const second = await tarOf([{ name: "etc/.wh.a" }, { name: "etc/b", body: "2" }, { name: "bin/.wh..wh..opq" }]);
    const { folder: root } = await open().get(folder(layoutFiles([first, second])));
    expect([
      existsSync(join(root, "etc/a")),
      readFileSync(join(root, "etc/b"), "utf8"),
      readdirSync(join(root, "bin")),
    ]).toEqual([false, "2", []]);
  });

  test("what a dead process half-built is not used, and goes", async () => {
    const dead = join(cache, "roots", `lanista-999999999-1-${lstatNamespace()}-00000000.12345678`);
    mkdirSync(join(dead, "made/rootfs"), { recursive: true, mode: 0o700 });
    const image = folder(layoutFiles([await tarOf(hello)]));
    expect(existsSync(join((await open().get(image)).folder, "bin/hello"))).toBe(true);
    expect(halfBuilt()).toEqual([]);
  });

  test("an archive that changes is another image", async () => {
    const archive = join(dir, "image.tar");
    writeFileSync(archive, await archiveOf(layoutFiles([await tarOf(hello)])));
    const roots = open();
    const before = await roots.get(archive);
    writeFileSync(`${archive}.new`, await archiveOf(layoutFiles([await tarOf([])])));
    renameSync(`${archive}.new`, archive);
    expect((await roots.get(archive)).digest).not.toBe(before.digest);
  });
});

function lstatNamespace(): number {
  return Number(/\d+/.exec(readlinkSync("/proc/self/ns/pid"))![0]);
}

describe.skipIf(findExecutable("umoci") === undefined)("a hostile image", () => {
  /** A file outside of the cache that no image may change. */
  const victim = (): string => {
    const path = join(dir, "victim");
    mkdirSync(path);
    writeFileSync(join(path, "file"), "untouched");
    return path;
  };

  test.each([
    [
      "through a link in an earlier entry",
      (to: string): Entry[] => [
        { name: "a", type: "symlink", linkname: to },
        { name: "a/file", body: "changed" },
      ],
    ],
    [
      "through a chain of links",
      (to: string): Entry[] => [
        { name: "x", type: "symlink", linkname: "../../../../../../../../.." },
        { name: "y", type: "symlink", linkname: `x${to}` },
        { name: "y/file", body: "changed" },
      ],
    ],
    [
      "by a hard link",
      (to: string): Entry[] => [
        { name: "h", type: "link", linkname: `${to}/file` },
        { name: "h", body: "changed" },
      ],
    ],
    ["by dots", (to: string): Entry[] => [{ name: `../../../../../../../../../..${to}/file`, body: "changed" }]],
    ["by an absolute name", (to: string): Entry[] => [{ name: `${to}/file`, body: "changed" }]],
    [
      "by the root itself as a link",
      (to: string): Entry[] => [
        { name: ".", type: "symlink", linkname: to },
        { name: "file", body: "changed" },
      ],
    ],
  ])("cannot write outside %s", async (_name, entries) => {
    const outside = victim();
    const image = folder(layoutFiles([await tarOf(entries(outside))]));
    await open()
      .get(image)
      .catch((error: unknown) => expect(error).toMatchObject({ code: "refused" }));
    expect(readFileSync(join(outside, "file"), "utf8")).toBe("untouched");
    expect(readdirSync(outside)).toEqual(["file"]);
    expect(lstatSync(join(outside, "file")).nlink).toBe(1);
  });

  test("cannot remove outside by a whiteout", async () => {
    const outside = victim();
    const image = folder(
      layoutFiles([
        await tarOf([{ name: "a", type: "symlink", linkname: outside }]),
        await tarOf([{ name: "a/.wh.file" }, { name: "../victim/.wh.file" }]),
      ]),
    );
    await open()
      .get(image)
      .catch((error: unknown) => expect(error).toMatchObject({ code: "refused" }));
    expect(readdirSync(outside)).toEqual(["file"]);
  });

  test("brings no device, pipe or set-user program, and nothing that is hard to remove", async () => {
    const image = folder(
      layoutFiles([
        await tarOf([
          { name: "disk", type: "block-device", devmajor: 8, devminor: 0, mode: 0o666 },
          { name: "mem", type: "character-device", devmajor: 1, devminor: 1, mode: 0o666 },
          { name: "pipe", type: "fifo", mode: 0o666 },
          { name: "su", mode: 0o6755, body: "x" },
          { name: "closed", type: "directory", mode: 0 },
          { name: "secret", mode: 0, body: "x" },
        ]),
      ]),
    );
    const { folder: root } = await open().get(image);
    for (const name of ["disk", "mem", "pipe"]) {
      const stat = lstatSync(join(root, name), { throwIfNoEntry: false });
      expect([name, stat === undefined || stat.isFile()]).toEqual([name, true]);
    }
    expect(lstatSync(join(root, "su")).mode & 0o7777).toBe(0o755);
    expect(lstatSync(join(root, "su")).uid).toBe(process.getuid!());
    expect(lstatSync(join(root, "closed")).mode & 0o700).toBe(0o700);
  });

  test("cannot grow beyond its bounds, in bytes or in files", async () => {
    const large = folder(layoutFiles([await tarOf([{ name: "zeros", body: Buffer.alloc(8 << 20) }])]));
    await refused(large, /more than 4194304 bytes/, { ...defaultBounds, bytes: 4 << 20 });
    await expect(open({ ...defaultBounds, bytes: 16 << 20 }).get(large)).resolves.toBeDefined();
    const many = folder(
      layoutFiles([await tarOf(Array.from({ length: 50 }, (_, at) => ({ name: `f${at}`, body: "" })))]),
    );
    await refused(many, /more than 20 files/, { ...defaultBounds, entries: 20 });
    await expect(open({ ...defaultBounds, entries: 60 }).get(many)).resolves.toBeDefined();
    expect(halfBuilt()).toEqual([]);
  });

  test("cannot hide its size behind a sparse file", async () => {
    const pax = { "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": String(2 ** 50) };
    await refused(folder(layoutFiles([await tarOf([{ name: "s", body: "x", pax }])])), /sparse/);
    const plain = await tarOf([{ name: "s", body: "x" }]);
    plain.write("S", 156);
    let sum = 256;
    for (let at = 0; at < 512; at++) if (at < 148 || at >= 156) sum += plain[at]!;
    plain.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    await refused(folder(layoutFiles([plain])), /kind that cannot be unpacked/);
  });

  test("is what its digests say", async () => {
    const layer = await tarOf(hello);
    const other = await tarOf([]);
    const swap = (which: RegExp, bytes: Buffer | string) => (files: Files) => {
      for (const [name, old] of Object.entries(files))
        if (
          which.test(String(old).slice(0, 2000)) ||
          (which.source === "gz" && name.startsWith("blobs") && old instanceof Buffer)
        )
          files[name] = bytes;
    };
    await refused(folder(layoutFiles([layer], { spoil: swap(/gz/, gzipSync(other)) })), /digest it is named by/);
    await refused(folder(layoutFiles([layer], { spoil: swap(/diff_ids/, "{}") })), /digest it is named by/);
    await refused(folder(layoutFiles([layer], { diffIds: [`sha256:${sha256(other)}`] })), /configuration says/);
    await refused(folder(layoutFiles([layer], { diffIds: [] })), /1 layers, but 0/);
  });

  test("leads to no file of the host's", async () => {
    const image = folder(layoutFiles([await tarOf(hello)]));
    const index = join(image, "index.json");
    rmSync(index);
    symlinkSync("/etc/passwd", index);
    await refused(image, /neither/);
    rmSync(index);
    execFileSync("mkfifo", [index]);
    await refused(image, /no plain file/);
    const saved = folder({
      ...savedFiles([await tarOf(hello)], []),
      "manifest.json": JSON.stringify([{ Config: "../../etc/passwd", Layers: [] }]),
    });
    await refused(saved, /none of an image's/);
  });

  test.each([
    ["no JSON", { "index.json": "{" }, /no JSON/],
    ["of the wrong shape", { "index.json": '{"manifests":[{"digest":"sha256:../../x"}]}' }, /is wrong at manifests/],
    ["empty", { "index.json": '{"manifests":[]}' }, /there are: none/],
    ["missing", { other: "" }, /neither/],
  ])("is refused if its description is %s", async (_name, files, message) => {
    await refused(folder(files as Files), message);
    await refused("/no/such/image", /there is no image/);
  });

  test("is refused if its archive is none, or names a file twice", async () => {
    const archive = join(dir, "image.tar");
    writeFileSync(archive, Buffer.alloc(5000, "x"));
    await refused(archive, /cannot be read as an archive/);
    const files = layoutFiles([await tarOf(hello)]);
    writeFileSync(
      archive,
      await tarOf([...Object.entries(files), ...Object.entries(files)].map(([name, body]) => ({ name, body }))),
    );
    await refused(archive, /cannot be read as an archive/);
    expect(halfBuilt()).toEqual([]);
  });
});

test("a path is followed within the root alone", () => {
  mkdirSync(join(dir, "usr/bin"), { recursive: true });
  writeFileSync(join(dir, "usr/bin/dash"), "");
  symlinkSync("usr/bin", join(dir, "bin"));
  symlinkSync("/usr/bin/dash", join(dir, "usr/bin/sh"));
  symlinkSync("/etc", join(dir, "etc"));
  symlinkSync("../../../../../../etc/passwd", join(dir, "up"));
  symlinkSync("loop", join(dir, "loop"));
  const kinds = ["/bin/sh", "/bin", "/etc/passwd", "/up", "/loop", "/bin/sh/x", "/../bin/dash"].map((path) =>
    kindInRoot(dir, path),
  );
  expect(kinds).toEqual(["file", "folder", undefined, undefined, undefined, undefined, "file"]);
});
