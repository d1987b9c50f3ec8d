import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Guard } from "@lanista/arena/agents/guards";
import type { BundleErrorCode } from "@lanista/arena/agents/types";
import { describe, expect, test } from "vitest";
import { expectRefused, scratchDir, unpackLoosened, without } from "./scratch.ts";
import { writeZip } from "./zip-writer.ts";

const agent = { name: "agent.py", data: "def act(obs): return 0\n" };

/** What the archive holds beside an agent, the guard that refuses it, and the code it is refused with. */
const hostile: readonly [string, (string | Uint8Array)[], Guard, BundleErrorCode][] = [
  ["zip slip through ../", ["../escaped.txt"], "leaves", "unsafe_name"],
  ["zip slip through a folder that is there", ["lib/a.py", "lib/../../escaped.txt"], "leaves", "unsafe_name"],
  ["an absolute name", ["/tmp/escaped.txt"], "absolute", "unsafe_name"],
  ["a name with an empty part", ["lib//a.py"], "absolute", "unsafe_name"],
  ["a drive letter", ["C:escaped.txt"], "drive", "unsafe_name"],
  ["backslashes", ["..\\..\\escaped.txt"], "backslash", "unsafe_name"],
  ["control characters", ["a\u001b[2Jb.txt"], "control", "unsafe_name"],
  ["a name that is not UTF-8", [Buffer.from([0x61, 0xff, 0xfe, 0x2e, 0x70, 0x79])], "utf8", "unsafe_name"],
  ["names that differ in case alone", ["helper.py", "Helper.py"], "case", "duplicate_name"],
  ["folders that differ in case alone", ["lib/a.py", "Lib/b.py"], "case", "duplicate_name"],
  ["an accent composed and not", ["caf\u00e9.py", "cafe\u0301.py"], "case", "duplicate_name"],
];

describe("names in archives", () => {
  test.each(hostile)("%s is refused, and would get through without its guard", async (_, names, guard, code) => {
    const archive = writeZip([agent, ...names.map((name) => ({ name, data: "hostile" }))]);
    await expectRefused(archive, code);
    expect(await unpackLoosened(archive, without(guard))).toHaveLength(1 + names.length);
  });

  test("zip slip would have written outside the folder", async () => {
    const archive = writeZip([agent, { name: "../escaped.txt", data: "hostile" }]);
    const escaped = join(scratchDir(), "inner", "escaped.txt");
    await expectRefused(archive, "unsafe_name");
    expect(existsSync(escaped)).toBe(false);
    await unpackLoosened(archive, without("leaves"));
    expect(existsSync(escaped)).toBe(true);
  });

  test("the same name twice is refused; without the guard the second meets a file that is there", async () => {
    const archive = writeZip([agent, { name: "agent.py", data: "raise SystemExit\n" }]);
    await expectRefused(archive, "duplicate_name");
    // Not even then does the second take the first's place: files are made, never opened again.
    await expect(unpackLoosened(archive, without("duplicate"))).rejects.toThrow("EEXIST");
  });

  test("a file that is a folder elsewhere is refused", async () => {
    const archive = writeZip([agent, { name: "lib", data: "a file" }, { name: "lib/a.py", data: "in a folder" }]);
    await expectRefused(archive, "duplicate_name");
    await expect(unpackLoosened(archive, without("duplicate"))).rejects.toThrow(/EEXIST|ENOTDIR/);
  });

  test("a name of NULs is refused", async () => {
    await expectRefused(writeZip([agent, { name: "agent.py\0.txt" }]), "unsafe_name");
  });

  test("a message does not pass a hostile name on to the terminal", async () => {
    const name = `../\u001b[2J\u202e${"x".repeat(500)}`;
    const { message } = await expectRefused(writeZip([agent, { name }]), "unsafe_name");
    for (const hostile of ["\u001b", "\u202e"]) expect(message).not.toContain(hostile);
    expect(message.length).toBeLessThan(300);
  });

  test("harmless unusual names are taken", async () => {
    const names = ["caf\u00e9.txt", "a b.txt", "-rf", "..data", "readme;1.txt", "lib/deep/er/x.py"];
    const archive = writeZip([agent, ...names.map((name) => ({ name, flags: 0 }))]);
    expect((await unpackLoosened(archive, without())).sort()).toEqual(["agent.py", ...names].sort());
  });
});
