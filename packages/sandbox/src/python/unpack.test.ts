import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { pack } from "tar-stream";
import { afterAll, beforeEach, expect, it } from "vitest";
import { type Unpacked, Unpacker } from "./unpack.ts";

const dir = mkdtempSync(join(tmpdir(), "lanista-unpack-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
let folder: string;
let count = 0;
beforeEach(() => {
  folder = join(dir, String(++count), "in");
  mkdirSync(folder, { recursive: true });
});

type Entry = {
  name: string;
  type?: "file" | "directory" | "symlink" | "link" | "fifo" | "character-device";
  linkname?: string;
  mode?: number;
  text?: string;
};

async function take(entries: readonly Entry[], cut = 0): Promise<Unpacked> {
  const archive = pack();
  for (const { text = "", ...header } of entries)
    archive.entry({ mtime: new Date(1_700_000_000_500), ...header }, text);
  archive.finalize();
  const bytes = await buffer(archive);
  const unpacker = new Unpacker({
    folder,
    bounds: { bytes: 1000, entries: 10 },
    isInterpreter: (path) => path === "/usr/bin/python3",
  });
  const whole = bytes.subarray(0, bytes.length - cut);
  for (let at = 0; at < whole.length; at += 700) await unpacker.write(whole.subarray(at, at + 700));
  return unpacker.end();
}

const sound: readonly Entry[] = [
  { name: "bin", type: "directory" },
  { name: "bin/run", text: "#!/bin/sh", mode: 0o4755 },
  { name: "bin/python", type: "symlink", linkname: "/usr/bin/python3" },
  { name: "lib64", type: "symlink", linkname: "bin" },
  { name: "data", text: "x", mode: 0o400 },
];

it("takes files, folders and links that stay inside, with modes of ours", async () => {
  expect(await take(sound)).toEqual({ bytes: 10, files: 2 });
  expect(readFileSync(join(folder, "bin/run"), "utf8")).toBe("#!/bin/sh");
  expect(lstatSync(join(folder, "bin/run")).mode & 0o7777).toBe(0o755);
  expect(lstatSync(join(folder, "data"))).toMatchObject({ mtimeMs: 1_700_000_000_000 });
  expect(lstatSync(join(folder, "data")).mode & 0o7777).toBe(0o644);
  expect(readlinkSync(join(folder, "bin/python"))).toBe("/usr/bin/python3");
});

it.each<[string, Entry[]]>([
  ["a name that leads out", [{ name: "../evil", text: "x" }]],
  ["an absolute name", [{ name: `${dir}/evil`, text: "x" }]],
  ["a file in no folder of theirs", [{ name: "a/evil", text: "x" }]],
  [
    "a file through a link",
    [
      { name: "a", type: "symlink", linkname: "." },
      { name: "a/evil", text: "x" },
    ],
  ],
  [
    "a file over a link",
    [
      { name: "a", type: "symlink", linkname: "b" },
      { name: "a", text: "x" },
    ],
  ],
  [
    "a file twice",
    [
      { name: "a", text: "x" },
      { name: "a", text: "y" },
    ],
  ],
  ["a link that leads out", [{ name: "a", type: "symlink", linkname: "../evil" }]],
  ["an absolute link", [{ name: "a", type: "symlink", linkname: "/etc/passwd" }]],
  ["another link to the interpreter", [{ name: "a", type: "symlink", linkname: "/usr/bin/python3" }]],
  [
    "a hard link",
    [
      { name: "a", text: "x" },
      { name: "b", type: "link", linkname: "a" },
    ],
  ],
  ["a pipe", [{ name: "a", type: "fifo" }]],
  ["a device", [{ name: "a", type: "character-device" }]],
  ["too many bytes", [{ name: "a", text: "x".repeat(1001) }]],
  ["too many files", Array.from({ length: 11 }, (_, index) => ({ name: `f${index}` }))],
])("refuses %s", async (_, entries) => {
  await expect(take(entries)).rejects.toMatchObject({ kind: "requirements" });
  expect(existsSync(join(folder, "../evil"))).toBe(false);
  expect(existsSync(join(dir, "evil"))).toBe(false);
});

it("refuses one that ends too early", async () => {
  await expect(take(sound, 1300)).rejects.toMatchObject({ kind: "requirements" });
  expect(readdirSync(folder)).not.toContain("lib64");
});
