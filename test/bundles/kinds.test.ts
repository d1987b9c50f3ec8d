import { lstatSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { expectRefused, scratchDir, unpackLoosened, without } from "./scratch.ts";
import { extraField, writeZip, type ZipEntry } from "./zip-writer.ts";

const agent = { name: "agent.py", data: "def act(obs): return 0\n" };

const kinds: readonly [string, ZipEntry, "link" | "special"][] = [
  ["a symbolic link out of the tree", { name: "data", data: "/etc/shadow", mode: 0o120777 }, "link"],
  ["a symbolic link within the tree", { name: "data", data: "agent.py", mode: 0o120777 }, "link"],
  [
    "a hard link",
    { name: "data", extra: extraField(0x000d, Buffer.concat([Buffer.alloc(12), Buffer.from("/etc/shadow")])) },
    "link",
  ],
  ["a block device", { name: "disk", mode: 0o060666 }, "special"],
  ["a character device", { name: "tty", mode: 0o020666 }, "special"],
  ["a FIFO", { name: "pipe", mode: 0o010666 }, "special"],
  ["a socket", { name: "socket", mode: 0o140666 }, "special"],
];

describe("kinds of entries in archives", () => {
  test.each(kinds)("%s is refused; without the guard it becomes a plain file and no more", async (_, entry, guard) => {
    const archive = writeZip([agent, entry]);
    await expectRefused(archive, "unsafe_entry");
    expect(await unpackLoosened(archive, without(guard))).toContain(entry.name);
    expect(lstatSync(join(scratchDir(), "inner", "loosened", String(entry.name))).isFile()).toBe(true);
  });

  test("a folder with contents and a file that says it is a folder are refused", async () => {
    for (const entry of [
      { name: "lib/", data: "x" },
      { name: "lib", mode: 0o040755 },
    ]) {
      await expectRefused(writeZip([agent, entry]), "corrupt");
      await unpackLoosened(writeZip([entry]), without("special"));
    }
  });

  test("set-user-id and executable bits do not survive, but for run's", async () => {
    const files = ["agent.py", "tool", "run"];
    await unpackLoosened(writeZip(files.map((name) => ({ name, mode: 0o106777 }))), without());
    const modes = files.map((name) => lstatSync(join(scratchDir(), "inner", "loosened", name)).mode & 0o7777);
    expect(modes).toEqual([0o644, 0o644, 0o755]);
  });

  test("an encrypted archive is refused; without the guard the library refuses it, and the rest of it is sound", async () => {
    const archive = (flags: number) =>
      writeZip([
        { ...agent, deflate: false, flags, said: { packedSize: agent.data.length + 12 * (flags & 1) } },
        { name: "z", data: "after" },
      ]);
    await expectRefused(archive(1), "encrypted");
    await expect(unpackLoosened(archive(1), without("encrypted", "overlap"))).rejects.toThrow(/encrypted/);
    expect(await unpackLoosened(archive(0), without())).toEqual(["agent.py", "z"]);
  });

  test("strong encryption is refused", async () => {
    await expectRefused(writeZip([{ ...agent, flags: 0x41 }]), "corrupt");
  });

  test("another method than deflate is refused", async () => {
    for (const method of [9, 12, 14, 93, 95]) await expectRefused(writeZip([{ ...agent, method }]), "corrupt");
  });

  test("an archive within the archive stays a file", async () => {
    const inner = writeZip([{ name: "../../escaped.txt", data: "hostile" }]);
    const archive = writeZip([agent, { name: "inner.zip", data: inner }]);
    expect(await unpackLoosened(archive, without())).toEqual(["agent.py", "inner.zip"]);
  });
});
