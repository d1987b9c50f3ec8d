/** What a requirements file can bring along: code that runs when it is installed, and builds that do not end well. */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { SandboxHost } from "@lanista/sandbox/host";
import type { BuildLimits } from "@lanista/sandbox/python/build-limits";
import { PackageSets, type PackageSetsOptions } from "@lanista/sandbox/python/package-sets";
import { type IndexServer, startIndex } from "@lanista/sandbox/testing/index-server";
import { GUEST_DIR, makeSource, makeWheel, uvForTests } from "@lanista/sandbox/testing/packages";
import type { ReadOnlyMount } from "@lanista/sandbox/types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cannot, HOSTILE, isGrouped, RUNTIMES } from "./support/boxes.ts";

const uv = await uvForTests();
const runtimes = RUNTIMES.filter((runtime) => runtime === "crun" || runtime === "runc");
const runtime = runtimes[0]!;
const MiB = 1024 * 1024;
const SECRET = "the-host-s-own-secret";
const PASSWORD = "hunter2";
const ATTEMPTS = readFileSync(join(HOSTILE, "install_time.py"), "utf8");
const FORGERY = `import io, json, os, struct, tarfile
def frame(kind, data, length=None, stream=[0]):
    stream[0] += 1
    os.write(1, struct.pack(">cII", kind, stream[0], len(data) if length is None else length) + data)
def ask(request): frame(b"Q", json.dumps(request).encode())
def done(): frame(b"D", b'{"ok": true}')
def send(info, data=b"", cut=None):
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as out: out.addfile(info, io.BytesIO(data))
    frame(b"T", made.getvalue()[:cut])
def tar(name, cut=None):
    info = tarfile.TarInfo(name)
    info.size = 600
    send(info, b"evil" * 150, cut)
def link(name, to):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, to
    send(info, cut=512)
`;
const PATHS = [
  "/secret",
  "/simple/plain/",
  "/i/0/../../secret/",
  "/i/7/plain/",
  "/i/0/%2e%2e/",
  "/f/4711/plain.whl",
  "//example.org/",
];

let dir: string;
let folder: string;
let host: SandboxHost;
let index: IndexServer;
/** A service of the host's that no box may reach. */
let service: Server;
let reached = 0;
let settings: Record<string, unknown>;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "lanista-dependencies-"));
  folder = join(dir, "index");
  mkdirSync(join(dir, "secret"));
  writeFileSync(join(dir, "secret/file"), SECRET);
  process.env.LANISTA_TEST_SECRET = SECRET;
  host = await SandboxHost.open({ runDir: join(dir, "run") });
  service = createServer((socket) => {
    reached++;
    socket.destroy();
  });
  await new Promise<void>((resolve) => service.listen(0, resolve));
  const outer = Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .find(({ internal, family }) => !internal && family === "IPv4");
  settings = {
    secret: SECRET,
    file: join(dir, "secret/file"),
    folder: join(dir, "secret"),
    port: (service.address() as { port: number }).port,
    address: outer?.address ?? "127.0.0.1",
    boxed: true,
    paths: [...PATHS, `http://127.0.0.1:${(service.address() as { port: number }).port}/secret`],
  };
  makeWheel(folder, "plain", "1.0", { "plain.py": "NAME = 'plain'\n" });
  index = await startIndex(folder, { login: `student:${PASSWORD}` });
});
afterAll(async () => {
  delete process.env.LANISTA_TEST_SECRET;
  await index.close();
  await new Promise((resolve) => service.close(resolve));
  await host.close();
  await rm(dir, { recursive: true, force: true });
});

const optionsOf = (limits: Partial<BuildLimits> = {}): Omit<PackageSetsOptions, "host"> => ({
  guestDir: GUEST_DIR,
  cacheDir: join(dir, "cache"),
  uv: uv!,
  runtime,
  giveUp: [...cannot(runtime).keys()],
  index: { indexUrl: index.url, extraIndexUrls: [], findLinks: [] },
  limits: { wallSeconds: 90, diskBytes: 128 * MiB, memoryBytes: 512 * MiB, ...limits },
});

/** Opens sets for one question. */
async function withSets<T>(options: Partial<PackageSetsOptions>, ask: (sets: PackageSets) => Promise<T>): Promise<T> {
  const sets = await PackageSets.open({ host, ...optionsOf(), ...options });
  try {
    return await ask(sets);
  } finally {
    await sets.close();
  }
}

async function say(argv: readonly string[], mounts: readonly ReadOnlyMount[], env = {}): Promise<string> {
  const box = await host.start({ tier: "container", runtime, argv, mounts, env, giveUp: [...cannot(runtime).keys()] });
  box.stdin.end();
  let text = "";
  for (const stream of [box.stdout, box.stderr])
    stream.on("data", (piece: Buffer) => {
      text += piece.toString();
    });
  await box.ended;
  return text.trim();
}

describe.skipIf(uv === null || runtime === undefined)("dependencies", () => {
  it.each(runtimes)(
    "setup.py that runs code: in the box, with no secret, no network but the index, no hold on the host (%s)",
    async (name) => {
      const given = JSON.stringify(JSON.stringify(settings));
      makeSource(
        folder,
        `curious_${name}`,
        "1.0",
        `${ATTEMPTS}\nimport json\nreturn {"curious_report.json": json.dumps(attempts(json.loads(${given})))}`,
      );
      // Outside of the box the very same attempts get through.
      const code = `${ATTEMPTS}\nimport json, sys\nprint(json.dumps(attempts(json.loads(sys.argv[1]))))`;
      const outside = JSON.parse(
        execFileSync("python3", ["-c", code, JSON.stringify({ ...settings, boxed: false, paths: [] })], {
          encoding: "utf8",
        }),
      );
      expect(outside).toMatchObject({
        environments: "did: True",
        secret_file: `did: ${SECRET}`,
        host_service: expect.stringMatching(/^did/),
        host_address: expect.stringMatching(/^did/),
        written: expect.stringMatching(/^did/),
      });
      await expect.poll(() => reached).toBeGreaterThanOrEqual(2);
      await rm(join(dir, "secret/written"));
      reached = 0;

      const text = await withSets({ runtime: name as "crun" | "runc" }, async (sets) => {
        const set = await sets.ensure(`curious_${name}\n`);
        const python = set.mounts.at(-1)!.source;
        const report = execFileSync("find", [python, "-name", "curious_report.json", "-exec", "cat", "{}", ";"], {
          encoding: "utf8",
        });
        set.release();
        return report;
      });
      const report = JSON.parse(text);
      expect(report.ran).toBe("did: yes");
      expect(report.environments).toBe("did: it is not there");
      for (const one of [
        "secret_file",
        "written",
        "written_packages",
        "written_python",
        "host_service",
        "host_address",
        "name",
        "datagram",
      ])
        expect(report[one], one).toMatch(/^failed/);
      // The one thing that listens in the box answers these, and passes none of them on.
      for (const one of (settings.paths as string[]).map((path) => `ask ${path}`))
        expect(report[one], one).toMatch(/^did: \['HTTP\/1\.1 404/);
      expect(text).not.toContain(SECRET);
      expect(text).not.toContain(PASSWORD);
      expect(existsSync(join(dir, "secret/written"))).toBe(false);
      expect(reached).toBe(0);
      expect(index.refused).toBe(0);
      expect(
        index.asked.filter(
          (path) => !/^\/(simple\/[a-z-]+\/|files\/[a-z_]+-1\.0(-py3-none-any\.whl|\.tar\.gz))$/.test(path),
        ),
      ).toEqual([]);
    },
  );

  it("a requirement that shadows a standard module comes after it", async () => {
    makeWheel(folder, "shadow", "1.0", {
      "random.py": "WHO = 'the requirement'\n",
      "json/__init__.py": "WHO = 'the requirement'\n",
      "shadow.py": "",
    });
    await withSets({}, async (sets) => {
      const set = await sets.ensure("shadow");
      const code = "import shadow, random, json; print([getattr(one, 'WHO', 'Python') for one in (random, json)])";
      expect(await say([set.python, "-c", code], set.mounts)).toBe("['Python', 'Python']");
      // It is there, and would shadow if it came first.
      const env = {
        PYTHONPATH: await say(
          [set.python, "-c", "import shadow, os; print(os.path.dirname(shadow.__file__))"],
          set.mounts,
        ),
      };
      expect(await say([set.python, "-c", code], set.mounts, env)).toBe("['the requirement', 'the requirement']");
      set.release();
    });
  });

  /** The same program within the bound first: it passes. */
  it.each<[string, string, (amount: string) => string, string, string, Partial<BuildLimits>, RegExp]>([
    [
      "never ends",
      "sleeper",
      (amount) => `import time\ntime.sleep(${amount})`,
      "0.1",
      "1e6",
      { wallSeconds: 9 },
      /longer than 9 seconds/,
    ],
    [
      "fills the disk",
      "filler",
      (amount) => `import os\nfor n in range(${amount}):\n    open("/tmp/fill%d" % n, "wb").write(os.urandom(1 << 20))`,
      "16",
      "100000",
      { diskBytes: 64 * MiB },
      // Whichever is heard of first: the bound, or what the build says of it when it is refused.
      /fills its disk|No space left on device/,
    ],
    ...(isGrouped
      ? ([
          [
            "forks without end",
            "forker",
            (amount) =>
              `import os, time\nfor n in range(${amount}):\n    if os.fork() == 0:\n        time.sleep(2)\n        os._exit(0)`,
            "4",
            "100000",
            { pids: 200, wallSeconds: 60 },
            /processes and threads|Resource temporarily unavailable/,
          ],
          [
            "eats memory",
            "eater",
            (amount) => `held = []\nfor n in range(${amount}):\n    held.append(bytearray(1 << 20))`,
            "16",
            "100000",
            { memoryBytes: 192 * MiB, diskBytes: 64 * MiB },
            /memory/,
          ],
        ] as [string, string, (amount: string) => string, string, string, Partial<BuildLimits>, RegExp][])
      : []),
  ])(
    "a build that %s ends as the requirements' fault, and leaves nothing",
    async (_, name, code, little, much, limits, message) => {
      makeSource(folder, name, "1.0", code(little));
      makeSource(folder, `${name}_much`, "1.0", code(much));
      await withSets({ limits: optionsOf(limits).limits! }, async (sets) => {
        (await sets.ensure(name)).release();
        const before = sets.list().length;
        await expect(sets.ensure(`${name}_much`)).rejects.toMatchObject({
          kind: "requirements",
          message: expect.stringMatching(message),
        });
        expect(sets.list().length).toBe(before);
        expect(readdirSync(join(dir, "cache/packages/stage"))).toEqual([]);
      });
    },
  );

  /** Whatever runs in the build's box could take over the program that speaks for it: here it is hostile from the start. */
  it.each([
    ["a file outside", 'tar("../../../../evil"); done()', /name/],
    ["a file through a link", 'link("out", "."); tar("out/evil"); done()', /evil/],
    ["half an archive", 'tar("half", cut=700); done()', /taken/],
    ["that it is done, and more", 'done(); tar("late")', /after it was done/],
    ["no frames", 'os.write(1, b"x" * 100000)', /else than frames/],
    ["a frame without end", 'frame(b"T", b"", length=1 << 31)', /else than frames/],
    ["a kind that nobody knows", 'frame(b"Z", b""); done()', /else than frames/],
    [
      "a request for another host",
      'ask({"method": "GET", "path": "/i/0/plain/", "headers": {"host": "x"}}); done()',
      /headers|host/,
    ],
    [
      "a request to change something",
      'ask({"method": "POST", "path": "/i/0/plain/", "headers": {}}); done()',
      /method|GET/,
    ],
    [
      "more requests than anybody has",
      "[ask({'method': 'GET', 'path': '/i/0/plain/', 'headers': {}}) for _ in range(200)]",
      /too many/,
    ],
    ["nothing", "pass", /ended early/],
    ["no interpreter", 'tar("file"); done()', /interpreter/],
  ])("a build that sends us %s gets no file anywhere, and no set", async (_, what, message) => {
    const guestDir = join(dir, `guest-${Math.random()}`);
    mkdirSync(join(guestDir, "python"), { recursive: true });
    writeFileSync(join(guestDir, "python/packages_build.py"), `${FORGERY}${what}\n`);
    await withSets({ guestDir }, async (sets) => {
      const before = sets.list().length;
      await expect(sets.ensure("plain==1.0")).rejects.toMatchObject({
        kind: "requirements",
        message: expect.stringMatching(message),
      });
      expect(sets.list().length).toBe(before);
    });
    expect(execFileSync("find", [dir, "-name", "evil"], { encoding: "utf8" })).toBe("");
  });

  const hostProcess = (requirements: string, name: string) => {
    const words = JSON.stringify({ ...optionsOf(), requirements, runDir: join(dir, `run-${name}`) });
    const child = spawn(
      process.execPath,
      ["--conditions=lanista-source", join(import.meta.dirname, "support/build-host.ts"), words],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    let said = "";
    child.stdout.on("data", (piece: Buffer) => {
      said += piece.toString();
    });
    const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
    return { child, ended, said: () => said };
  };

  it("a half-built set is never used, and goes with the next who opens", async () => {
    makeSource(folder, "slow", "1.0", "import time\ntime.sleep(2)");
    const before = await withSets({}, async (sets) => sets.list().length);
    const victim = hostProcess("slow", "victim");
    await expect.poll(victim.said).toMatch(/Building slow/);
    victim.child.kill("SIGKILL");
    await victim.ended;
    const stage = join(dir, "cache/packages/stage");
    expect(readdirSync(stage)).toHaveLength(1);
    await withSets({}, async (sets) => {
      expect(readdirSync(stage)).toEqual([]);
      expect(sets.list().length).toBe(before);
      const lines: string[] = [];
      const set = await sets.ensure("slow", { onProgress: (line) => lines.push(line) });
      expect(lines.join("\n")).toMatch(/Building slow/);
      // A folder of that name without its description is none either.
      const description = join(dir, "cache/packages/sets", set.key, "set.json");
      set.release();
      await rm(description);
      lines.length = 0;
      (await sets.ensure("slow", { onProgress: (line) => lines.push(line) })).release();
      expect(lines.join("\n")).toMatch(/Building slow/);
      lines.length = 0;
      (await sets.ensure("slow", { onProgress: (line) => lines.push(line) })).release();
      expect(lines).toEqual([]);
    });
  });

  it("two builds of one set at once are one, in a process and between two", async () => {
    makeSource(folder, "counted", "1.0", "import time\ntime.sleep(2)");
    const [a, b] = [hostProcess("counted", "a"), hostProcess("# the same\ncounted\n", "b")];
    const lines: string[] = [];
    const onProgress = (line: string): unknown => lines.push(line);
    const keys = await withSets({}, async (sets) => {
      const all = await Promise.all(
        ["counted", "counted ", "Counted"].map((text) => sets.ensure(text, { onProgress })),
      );
      for (const set of all) set.release();
      return all.map(({ key }) => key);
    });
    await Promise.all([a.ended, b.ended]);
    for (const { said } of [a, b]) expect(said()).toContain(`key ${keys[0]}`);
    expect(new Set(keys).size).toBe(1);
    // Whoever waited in the building process was told too.
    const builders = [a.said(), b.said(), lines.join("\n")].filter((text) => text.includes("Building counted"));
    expect(builders).toHaveLength(1);
    // Another set is another build.
    lines.length = 0;
    await withSets({}, async (sets) => (await sets.ensure("counted\nplain", { onProgress })).release());
    expect(lines.join("\n")).toContain("Building counted");
  });

  it("an index that is out of reach, or does not know us, is our fault and not the requirements'", async () => {
    index.failWith(503);
    await withSets({}, (sets) =>
      expect(sets.ensure("plain==1.0")).rejects.toMatchObject({ kind: "infra", message: expect.stringMatching(/503/) }),
    );
    index.failWith(undefined);
    const wrong = { indexUrl: index.url.replace(PASSWORD, "wrong"), extraIndexUrls: [], findLinks: [] };
    await withSets({ index: wrong }, async (sets) => {
      const error = await sets.ensure("plain==1.0").catch((thrown: Error) => thrown);
      expect(error).toMatchObject({ kind: "infra", message: expect.stringMatching(/credentials/) });
      expect((error as Error).message).not.toContain("wrong");
    });
    await withSets({}, async (sets) => (await sets.ensure("plain==1.0")).release());
  });
});
