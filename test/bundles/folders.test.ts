import { execFileSync } from "node:child_process";
import { chmodSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { prepareAgent } from "@lanista/arena/agents/prepare";
import { describe, expect, test } from "vitest";
import { expectRefused, listAll, refusal, scratchDir } from "./scratch.ts";
import { writeZip } from "./zip-writer.ts";

const SOURCE = "def act(obs): return 0\n";

function folder(files: Record<string, string>): string {
  const dir = join(scratchDir(), "my-bot");
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(dir, path, ".."), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  return dir;
}

const work = () => join(scratchDir(), "work");
const prepare = (path: string, limits = {}) => prepareAgent(path, { workDir: work(), limits });

describe("folders", () => {
  test("links out of and within the folder are refused, not followed", async () => {
    const dir = folder({ "agent.py": SOURCE });
    for (const target of ["/etc/passwd", "/", "agent.py", "nowhere"]) {
      symlinkSync(target, join(dir, "data"));
      expect((await refusal(prepare(dir))).code).toBe("unsafe_entry");
      rmSync(join(dir, "data"));
    }
    expect(listAll(work())).toEqual([]);
    await prepare(dir);
  });

  test("a FIFO is refused and does not block", async () => {
    const dir = folder({ "agent.py": SOURCE });
    execFileSync("mkfifo", [join(dir, "pipe")]);
    expect((await refusal(prepare(dir))).code).toBe("unsafe_entry");
  });

  test("too many files, too many bytes and too deep are refused, and taken in when the bound allows it", async () => {
    const dir = folder({ "agent.py": SOURCE, "a/b/c/d.py": "x = 1\n", "big.bin": "x".repeat(5000) });
    const bounds = [
      [{ entries: 5 }, { entries: 6 }],
      [{ totalBytes: 5000 }, { totalBytes: 6000 }],
      [{ depth: 3 }, { depth: 4 }],
    ];
    for (const [tight, wide] of bounds) {
      expect((await refusal(prepare(dir, tight))).code).toBe("too_large");
      expect(listAll(work())).toEqual([]);
      rmSync((await prepare(dir, wide)).dir, { recursive: true });
    }
  });

  test("a name that is not UTF-8 is refused", async () => {
    const dir = folder({ "agent.py": SOURCE });
    writeFileSync(Buffer.concat([Buffer.from(`${dir}/`), Buffer.from([0xff, 0xfe])]), "");
    expect((await refusal(prepare(dir))).code).toBe("unsafe_name");
  });

  test("modes are made plain: the agent's user can read it and none can write", async () => {
    const dir = folder({ "agent.py": SOURCE, "lib/helper.py": "", run: "#!/bin/sh\n" });
    chmodSync(join(dir, "agent.py"), 0o4700);
    chmodSync(join(dir, "lib"), 0o700);
    const mask = process.umask(0o077);
    const agent = await prepare(dir).finally(() => process.umask(mask));
    const mode = (path: string) => lstatSync(join(agent.dir, path)).mode & 0o7777;
    expect([".", "agent.py", "lib", "lib/helper.py", "run"].map(mode)).toEqual([0o755, 0o644, 0o755, 0o644, 0o755]);
  });

  test("what tools leave behind is left out", async () => {
    const dir = folder({ "agent.py": SOURCE, "__pycache__/agent.pyc": "x", ".git/config": "x", "lib/.DS_Store": "x" });
    const agent = await prepare(dir);
    expect(listAll(agent.dir)).toEqual(["agent.py"]);
  });
});

describe("one agent in three forms", () => {
  test("a file, a folder and a zip have one digest", async () => {
    const file = join(scratchDir(), "my-bot.py");
    writeFileSync(file, SOURCE);
    const zip = join(scratchDir(), "my-bot.zip");
    writeFileSync(zip, writeZip([{ name: "__MACOSX/._agent.py" }, { name: "agent.py", data: SOURCE }]));
    const dir = folder({ "agent.py": SOURCE });
    const agents = [await prepare(file), await prepare(zip), await prepare(dir)];
    expect(agents.map(({ name }) => name)).toEqual(["my-bot.py", "my-bot", "my-bot"]);
    for (const agent of agents) {
      expect(agent).toMatchObject({ language: "python", entry: "agent.py", bytes: SOURCE.length });
      expect(agent.digest).toBe(agents[0]!.digest);
      expect(readFileSync(join(agent.dir, "agent.py"), "utf8")).toBe(SOURCE);
    }
  });

  test("another name, another byte and another cut between name and contents change the digest", async () => {
    const bundles = [{ "agent.py": "ab" }, { "agent.py": "ac" }, { "main.py": "ab" }, { "agent.py": "a", "x.py": "b" }];
    const digests = new Set<string>();
    for (const files of bundles) {
      digests.add((await prepare(folder(files as Record<string, string>))).digest);
      rmSync(join(scratchDir(), "my-bot"), { recursive: true });
    }
    expect(digests.size).toBe(bundles.length);
  });

  test.each([
    [["run", "agent.py"], "executable", "run"],
    [["main.py", "agent.py"], "python", "agent.py"],
    [["main.py", "a.py"], "python", "main.py"],
    [["b.py", "a.py", "agent.mjs"], "javascript", "agent.mjs"],
    [["b.py", "a.py"], "python", "a.py"],
    [["main.js"], "javascript", "main.js"],
  ])("%j is started as %s by %s", async (names, language, entry) => {
    const agent = await prepare(folder(Object.fromEntries(names.map((name) => [name, ""]))));
    expect(agent).toMatchObject({ language, entry });
  });

  test("package.json's main is followed within the agent only", async () => {
    const main = (text: string) => folder({ "package.json": `{"main":${text}}`, "lib/bot.js": "" });
    expect(await prepare(main('"./lib/bot.js"'))).toMatchObject({ language: "javascript", entry: "lib/bot.js" });
    expect(await prepare(main('"lib/bot"'))).toMatchObject({ entry: "lib/bot.js" });
    for (const text of ['"../outside.js"', '"/etc/passwd"', "7", "null", '"__proto__"', "{"])
      expect((await refusal(prepare(main(text)))).code).toBe("no_entry");
  });

  test("a folder within the folder is named in the message", async () => {
    const { code, message } = await refusal(prepare(folder({ "my-bot/agent.py": SOURCE })));
    expect(code).toBe("no_entry");
    expect(message).toContain('"my-bot/agent.py"');
  });

  test("what fails on the host's side is not the participant's", async () => {
    writeFileSync(join(scratchDir(), "work"), "a file where the folder should be");
    const error = await prepare(folder({ "agent.py": SOURCE })).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ code: "EEXIST" });
  });

  test("nothing there, another kind of file, and an empty folder", async () => {
    await expectRefused(join(scratchDir(), "absent"), "not_found");
    const text = join(scratchDir(), "agent.txt");
    writeFileSync(text, "");
    await expectRefused(text, "unsupported");
    mkdirSync(join(scratchDir(), "empty"));
    await expectRefused(join(scratchDir(), "empty"), "no_entry");
  });
});
