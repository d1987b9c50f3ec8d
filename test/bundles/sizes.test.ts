import { closeSync, ftruncateSync, openSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { expectRefused, scratchDir, unpackLoosened, without } from "./scratch.ts";
import { extraField, writeEnd, writeEntry, writeZip } from "./zip-writer.ts";

const agent = { name: "agent.py", data: "def act(obs): return 0\n" };
const MiB = 1024 * 1024;

describe("bombs", () => {
  test("a flat bomb: little that becomes much", async () => {
    const archive = writeZip([agent, { name: "zeros", data: Buffer.alloc(8 * MiB) }]);
    expect(archive.length).toBeLessThan(16 * 1024);
    await expectRefused(archive, "too_large", { totalBytes: 4 * MiB });
    expect(await unpackLoosened(archive, without(), { totalBytes: 9 * MiB })).toContain("zeros");
  });

  test("a flat bomb that says it is small ends at what it said", async () => {
    const archive = writeZip([agent, { name: "zeros", data: Buffer.alloc(8 * MiB), said: { size: 10, crc: 0 } }]);
    await expectRefused(archive, "corrupt");
    // Without that guard the bound on all bytes still holds while it is written.
    await expect(unpackLoosened(archive, without("sizes"), { totalBytes: 4 * MiB })).rejects.toThrow(
      "over their bound",
    );
    const { size } = statSync(join(scratchDir(), "inner", "loosened", "zeros"));
    expect(size).toBeLessThanOrEqual(4 * MiB);
  });

  test("many files that are small each", async () => {
    const parts = Array.from({ length: 64 }, (_, i) => ({ name: `part-${i}`, data: Buffer.alloc(MiB / 8) }));
    await expectRefused(writeZip([agent, ...parts]), "too_large", { totalBytes: 4 * MiB });
    expect(await unpackLoosened(writeZip([agent, ...parts]), without(), { totalBytes: 9 * MiB })).toHaveLength(65);
  });

  test("a nested bomb is not unpacked further than its first skin", async () => {
    let bomb = writeZip([{ name: "zeros", data: Buffer.alloc(8 * MiB) }]);
    for (let skin = 0; skin < 5; skin++)
      bomb = writeZip(Array.from({ length: 16 }, (_, i) => ({ name: `${skin}-${i}.zip`, data: bomb })));
    const files = await unpackLoosened(bomb, without(), { totalBytes: 4 * MiB });
    expect(files).toHaveLength(16);
    expect(files.every((name) => name.endsWith(".zip"))).toBe(true);
  });

  test("an overlapping bomb: every entry is the same bytes", async () => {
    const kernel = writeEntry({ name: "f0", data: Buffer.alloc(MiB / 4) }, 0);
    const records = Array.from({ length: 16 }, (_, i) => {
      const record = Buffer.from(kernel.record);
      record.write(i.toString(36).padStart(2, "f"), 46);
      return record;
    });
    const directory = Buffer.concat(records);
    const archive = Buffer.concat([kernel.local, directory, writeEnd(16, directory.length, kernel.local.length)]);
    const error = await expectRefused(archive, "corrupt");
    expect(error.message).toContain("share bytes");
    expect(await unpackLoosened(archive, without("overlap"))).toHaveLength(16);
  });

  test("an overlapping bomb whose entries quote each other's headers", async () => {
    // Fifield, "A better zip bomb" (WOOT 2019): the first file's data begins with a stored block that holds the next header.
    const inner = writeEntry({ name: "b", data: Buffer.alloc(MiB / 4) }, 0);
    const quoted = inner.local;
    const outer = writeEntry({ name: "a", deflate: false, data: quoted }, 0);
    const at = outer.local.length - quoted.length;
    const { record } = writeEntry({ name: "b", data: Buffer.alloc(MiB / 4) }, at);
    const directory = Buffer.concat([outer.record, record]);
    const archive = Buffer.concat([outer.local, directory, writeEnd(2, directory.length, outer.local.length)]);
    await expectRefused(archive, "corrupt");
    expect(await unpackLoosened(archive, without("overlap"))).toEqual(["a", "b"]);
  });
});

describe("numbers", () => {
  test("a million entries are refused before they are read", async () => {
    const { record } = writeEntry({ name: "f", deflate: false }, 0);
    const directory = Buffer.alloc(record.length * 1_000_000, record);
    const archive = Buffer.concat([directory, writeEnd(1_000_000, directory.length, 0, { zip64Count: 1_000_000n })]);
    const error = await expectRefused(archive, "too_large");
    expect(error.message).toContain("entries");
    // With the bound loosened it goes on to read entries, and meets the first lie about where they lie.
    await expect(unpackLoosened(archive, without(), { entries: 2_000_000 })).rejects.toThrow("local file header");
  });

  test("entries within the archive's bound whose folders are over it", async () => {
    const deep = Array.from({ length: 40 }, (_, i) => ({ name: `${i}/a/b/c/d/e/f/g.py` }));
    await expectRefused(writeZip([agent, ...deep]), "too_large", { entries: 100 });
    expect(await unpackLoosened(writeZip([agent, ...deep]), without(), { entries: 400 })).toHaveLength(41);
  });

  test("a count of 2^64 − 1 entries is refused", async () => {
    await expectRefused(writeZip([agent], { zip64Count: 2n ** 64n - 1n }), "too_large");
  });

  test("a count that is too high or too low is not believed", async () => {
    await expectRefused(writeZip([agent], { count: 2 }), "corrupt");
    // Too low: what is not counted is not there, and the agent is what is left.
    expect(await unpackLoosened(writeZip([agent, { name: "z" }], { count: 1 }), without())).toEqual(["agent.py"]);
  });

  test("folders below folders", async () => {
    const archive = writeZip([agent, { name: `${"d/".repeat(40)}f` }]);
    await expectRefused(archive, "too_large");
    expect(await unpackLoosened(archive, without(), { depth: 41 })).toHaveLength(2);
  });

  test("a name of 64 KiB, the longest the format has, is refused", async () => {
    const archive = writeZip([agent, { name: "x".repeat(65_535) }]);
    await expectRefused(archive, "too_large");
    await expect(unpackLoosened(archive, without(), { nameBytes: 1e6, pathBytes: 1e6 })).rejects.toThrow(
      "ENAMETOOLONG",
    );
  });

  test("4 GiB of names and comments do not fit the bound on the archive", async () => {
    const path = join(scratchDir(), "huge.zip");
    const fd = openSync(path, "w");
    try {
      // Sparse: it has the size without taking the space. Its end is a true one, so only the bound refuses it.
      const tail = writeEnd(1, 46, 0);
      ftruncateSync(fd, 4 * 1024 * MiB);
      writeSync(fd, tail, 0, tail.length, 4 * 1024 * MiB);
    } finally {
      closeSync(fd);
    }
    const error = await expectRefused(path, "too_large");
    expect(error.message).toContain("the archive is over");
    await expect(unpackLoosened(path, without(), { archiveBytes: 8 * 1024 * MiB })).rejects.toThrow("cannot be read");
    rmSync(path);
  });

  test("comments of 64 KiB on every entry and on the archive are read past", async () => {
    const comment = Buffer.alloc(65_535, "c");
    const entries = Array.from({ length: 100 }, (_, i) => ({ name: `f${i}.py`, comment }));
    const archive = writeZip([agent, ...entries], { comment });
    expect(await unpackLoosened(archive, without())).toHaveLength(101);
    await expectRefused(archive, "too_large", { archiveBytes: 4 * MiB });
  });
});

describe("lies and damage", () => {
  test("sizes that are too large, too small, or of 64 bits", async () => {
    const zip64 = Buffer.alloc(16);
    zip64.writeBigUInt64LE(2n ** 40n, 0);
    zip64.writeBigUInt64LE(23n, 8);
    await expectRefused(writeZip([{ ...agent, said: { size: 22 } }]), "corrupt");
    await expectRefused(writeZip([{ ...agent, said: { size: 24 } }]), "corrupt");
    await expectRefused(writeZip([{ ...agent, extra: extraField(1, zip64), said: { size: 0xffffffff } }]), "too_large");
    await expectRefused(writeZip([{ ...agent, said: { packedSize: 0xfffffff0 } }]), "corrupt");
    expect(await unpackLoosened(writeZip([{ ...agent, said: { size: 22 } }]), without("sizes"))).toHaveLength(1);
  });

  test("a checksum that is not the contents'", async () => {
    const archive = writeZip([{ ...agent, said: { crc: 1 } }]);
    await expectRefused(archive, "corrupt");
    expect(await unpackLoosened(archive, without("sizes"))).toEqual(["agent.py"]);
  });

  test("an offset that points elsewhere", async () => {
    for (const offset of [1, 40, 0xfffffff0])
      await expectRefused(writeZip([agent, { name: "z", said: { offset } }]), "corrupt");
  });

  test("an archive cut off at any byte is refused, and the whole one is not", async () => {
    const archive = writeZip([agent, { name: "lib/helper.py", data: "x = 1\n" }]);
    for (let length = 0; length < archive.length; length++) await expectRefused(archive.subarray(0, length), "corrupt");
    expect(await unpackLoosened(archive, without())).toHaveLength(2);
  });

  test("any one byte changed leads to the same files, or to a refusal", async () => {
    const archive = writeZip([{ ...agent, mode: 0o100644 }]);
    let refused = 0;
    for (let at = 0; at < archive.length; at++) {
      const changed = Buffer.from(archive);
      changed[at]! ^= 0x11;
      const outcome = await unpackLoosened(changed, without()).catch((error: Error) => error);
      if (outcome instanceof Error) {
        expect(outcome.name, `byte ${at}: ${outcome.stack}`).toBe("BundleError");
        refused++;
      } else expect(outcome).toHaveLength(1);
    }
    expect(refused).toBeGreaterThan(20);
  });

  test("what is no archive at all is refused", async () => {
    await expectRefused(Buffer.from(""), "corrupt");
    await expectRefused(Buffer.from("Rar!\x1a\x07\x00"), "corrupt");
    await expectRefused(Buffer.alloc(100_000, "PK"), "corrupt");
    const path = join(scratchDir(), "folder.zip");
    writeFileSync(path, writeZip([]));
    await expectRefused(path, "no_entry");
  });
});
