import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { AgentDataSchema } from "@lanista/api/gen/executor/executor_pb";
import { prepareAgent } from "@lanista/arena/agents/prepare";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { SETTINGS } from "../config/settings.ts";
import { openFolderStore } from "../store/folder-store.ts";
import type { BlobStore } from "../store/store.ts";
import { limitsOf } from "./limits.ts";
import { parseLimits } from "./limits-file.ts";
import { CodeTaker } from "./take-code.ts";
import { zipFolder } from "./zip-folder.ts";

const AGENT = "def get_action(obs):\n    return 1\n";
let root: string;
let code: string;
let store: BlobStore;
let server: Server;
let port: number;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "lanista-take-"));
  code = join(root, "code");
  mkdirSync(code);
  store = await openFolderStore(join(root, "store"));
  server = createServer((request, response) => {
    if (request.url === "/agent.py") response.end(AGENT);
    else if (request.url === "/agent.zip") response.end(zipOf({ "agent.py": AGENT }));
    else if (request.url === "/page") response.end("<html>sign in first</html>");
    else response.writeHead(404).end();
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.close();
  rmSync(root, { recursive: true, force: true });
});
beforeEach(() => {
  rmSync(code, { recursive: true });
  mkdirSync(code);
});

let made = 0;
function folderOf(files: Record<string, string>): string {
  const dir = join(code, `agent-${++made}`);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(dir, path, ".."), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  return dir;
}
function zipOf(files: Record<string, string>): Buffer {
  const dir = folderOf(files);
  const script =
    "import sys,zipfile,os,io\nb=io.BytesIO()\nz=zipfile.ZipFile(b,'w')\nfor d,_,fs in os.walk(sys.argv[1]):\n  for f in fs:\n    p=os.path.join(d,f); z.write(p,os.path.relpath(p,sys.argv[1]))\nz.close()\nsys.stdout.buffer.write(b.getvalue())";
  return execFileSync("python3", ["-c", script, dir]);
}

function taker(limits = "", executor: Record<string, unknown> = {}): CodeTaker {
  const config = {
    ...defaults(),
    allowFileFolders: [code],
    allowHosts: ["127.0.0.1"],
    allowPrivate: true,
    ...executor,
  };
  return new CodeTaker(store, config, {
    ...limitsOf(parseLimits(limits, "x"), "container"),
    tmpDir: join(root, "tmp"),
  });
}
/** As the settings have them. */
function defaults() {
  const entries = Object.entries(SETTINGS.executor).map(([name, setting]) => [name, setting.fallback]);
  return Object.fromEntries(entries) as ConstructorParameters<typeof CodeTaker>[1];
}
const take = (codeUrl: string, from = taker()) =>
  from.take(create(AgentDataSchema, { agentId: "ada", codeUrl }), new AbortController().signal);

/** What a worker makes of the bundle. */
async function prepared(digest: string) {
  const zip = join(root, "check.zip");
  writeFileSync(zip, await store.get(digest));
  return await prepareAgent(zip, { workDir: join(root, "work") });
}

describe("an agent's code", () => {
  test("in a folder becomes a zip that depends on the files alone", async () => {
    const files = { "agent.py": AGENT, "lib/net.py": "x = 1\n", "weights.json": "{}" };
    const first = await take(folderOf(files));
    const again = folderOf(files);
    utimesSync(join(again, "agent.py"), 1, 1);
    const second = await take(`file://${again}`);
    expect(first).toMatchObject({ bundle: { digest: second.bundle?.digest }, refused: "" });
    expect(await prepared(first.bundle!.digest)).toMatchObject({ entry: "agent.py", language: "python" });
    const other = await take(folderOf({ ...files, "agent.py": `${AGENT}#\n` }));
    expect(other.bundle!.digest).not.toBe(first.bundle!.digest);
  });

  test("in a zip is kept as it is", async () => {
    const zip = zipOf({ "main.py": AGENT });
    writeFileSync(join(code, "a.zip"), zip);
    const { bundle } = await take(join(code, "a.zip"));
    expect(Buffer.from(await store.get(bundle!.digest))).toEqual(zip);
  });

  test("in a single file, here or far away", async () => {
    writeFileSync(join(code, "bot.py"), AGENT);
    const here = await take(join(code, "bot.py"));
    const far = await take(`http://127.0.0.1:${port}/agent.py`);
    expect(here).toEqual(far);
    expect(await prepared(here.bundle!.digest)).toMatchObject({ entry: "agent.py" });
  });

  test("in a zip far away", async () => {
    const { bundle } = await take(`http://127.0.0.1:${port}/agent.zip`);
    expect(await prepared(bundle!.digest)).toMatchObject({ entry: "agent.py" });
  });

  test.each(["folder", "zip", "far away"])("over max_code_size_mb in a %s cannot start, and says why", async (form) => {
    const small = taker("sandbox: {max_code_size_mb: 0.0001}");
    const files = { "agent.py": "#".repeat(200) };
    const path = folderOf(files);
    writeFileSync(join(code, "big.zip"), zipOf(files));
    const from = { folder: path, zip: join(code, "big.zip"), "far away": `http://127.0.0.1:${port}/agent.zip` }[form]!;
    const taken = await take(from, small);
    expect(taken.refused).toMatch(/over 104 bytes|over their bound in bytes/);
    await expect(prepared(taken.bundle!.digest)).rejects.toMatchObject({ code: "no_entry" });
    expect((await take(from)).refused).toBe("");
  });

  test("with a link in it cannot start", async () => {
    const dir = folderOf({ "agent.py": AGENT });
    symlinkSync("/etc/passwd", join(dir, "data.txt"));
    expect((await take(dir)).refused).toContain("link");
  });

  test("that is no archive cannot start", async () => {
    writeFileSync(join(code, "a.zip"), "PKnot");
    expect((await take(join(code, "a.zip"))).refused).toContain("no zip");
    expect((await take(`http://127.0.0.1:${port}/page`)).refused).toContain("no zip");
  });

  test.each([
    ["another folder", () => "/etc"],
    ["a file elsewhere", () => "/etc/passwd"],
    ["the way up", () => `${code}/../../../../etc/hosts`],
    ["a neighbour whose name begins alike", () => `${code}-evil`],
    [
      "a link out of the folder",
      () => {
        symlinkSync("/etc", join(code, "out"));
        return join(code, "out");
      },
    ],
    ["nothing", () => join(code, "absent")],
    ["a device", () => "/dev/zero"],
  ])("is not read from %s, and the answer is the same for what is there and what is not", async (_, path) => {
    mkdirSync(`${code}-evil`, { recursive: true });
    await expect(take(path())).rejects.toMatchObject({
      code: "invalid",
      message: "agent ada: there is no code at this path below a folder that code is read from",
    });
  });

  test("is read from nowhere by default, and fetched from nowhere", async () => {
    const shut = taker("", { allowFileFolders: [], allowHosts: [], allowPrivate: false });
    await expect(take(folderOf({ "agent.py": AGENT }), shut)).rejects.toMatchObject({ code: "invalid" });
    await expect(take(`http://127.0.0.1:${port}/agent.py`, shut)).rejects.toMatchObject({ code: "invalid" });
  });

  test("that is not there is a failure, and no fault of the agent's", async () => {
    await expect(take(`http://127.0.0.1:${port}/gone.zip`)).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("agent ada: "),
    });
  });

  test("leaves nothing behind in tmp_dir, whatever became of it", async () => {
    await take(folderOf({ "agent.py": AGENT }));
    await take(`http://127.0.0.1:${port}/gone.zip`).catch(() => {});
    await take(`http://127.0.0.1:${port}/page`);
    expect(readdirSync(join(root, "tmp"))).toEqual([]);
  });

  test("of twenty agents at once", async () => {
    const one = taker();
    const taken = await Promise.all(
      Array.from({ length: 20 }, (_, i) => take(folderOf({ "agent.py": `#${i}\n` }), one)),
    );
    expect(new Set(taken.map(({ bundle }) => bundle?.digest)).size).toBe(20);
  });
});

test("an executable keeps its bit in the zip", async () => {
  const zip = join(root, "run.zip");
  await zipFolder(folderOf({ run: "#!/bin/sh\n" }), zip);
  expect(await prepareAgent(zip, { workDir: join(root, "work") })).toMatchObject({ language: "executable" });
});
