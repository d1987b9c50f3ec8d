/**
 * What every runtime must do, as a list of checks: each starts a box and returns what was wrong, or nothing. The tests run
 * it for every runtime of the host, on cgroup v1 and v2, as root and rootless.
 */
import type { SandboxHost } from "./host.ts";
import type { Cause, GiveUp, Limits, RootImage, Runtime, Sandbox, SandboxEnd, Tier } from "./types.ts";

export interface Check {
  readonly name: string;
  /** The limits it needs enforced: not run where one of them was given up. */
  readonly needs: readonly GiveUp[];
  run(kit: Kit): Promise<string | undefined>;
}

export interface Ran {
  readonly end: SandboxEnd;
  readonly stdout: string;
  readonly stderr: string;
}

/** What the checks are run on. */
export interface Kind {
  readonly tier: Tier;
  readonly runtime: Runtime;
  readonly giveUp?: readonly GiveUp[];
  /** With /usr/bin/python3 in it. */
  readonly root?: RootImage;
}

/** Starts boxes of one runtime, and collects what they say (at most 64 KiB of each stream). */
export class Kit {
  readonly #host: SandboxHost;
  readonly #kind: Kind;

  constructor(host: SandboxHost, kind: Kind) {
    this.#host = host;
    this.#kind = kind;
  }

  /** Whether a box that asks for a channel has one. */
  get channels(): boolean {
    return this.#kind.runtime === "crun" || this.#kind.runtime === "runc";
  }

  get walls(): boolean {
    return this.#kind.tier !== "none";
  }

  start(script: string, limits: Partial<Limits> = {}, channel = false): Promise<Sandbox> {
    return this.#host.start({
      ...this.#kind,
      channel,
      argv: ["/usr/bin/python3", "-I", "-c", script],
      limits: { wallSeconds: 30, ...limits },
    });
  }

  async run(script: string, limits: Partial<Limits> = {}, during?: (box: Sandbox) => Promise<void>): Promise<Ran> {
    const box = await this.start(script, limits);
    const texts = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const)
      box[name].on("data", (chunk: Buffer) => {
        if (texts[name].length < 65536) texts[name] += chunk.toString();
      });
    if (during === undefined) box.stdin.end();
    else await during(box);
    return { end: await box.ended, ...texts };
  }
}

function differs(end: SandboxEnd, wanted: Cause["kind"]): string | undefined {
  return end.cause.kind === wanted ? undefined : `ended by ${JSON.stringify(end.cause)}, not by ${wanted}`;
}

const ends = (
  name: string,
  wanted: Cause["kind"],
  script: string,
  limits: Partial<Limits>,
  needs: readonly GiveUp[],
): Check => ({
  name,
  needs,
  run: async (kit) => differs((await kit.run(script, limits)).end, wanted),
});

const MiB = 1024 * 1024;

export const checks: readonly Check[] = [
  {
    name: "passes streams and the exit status on",
    needs: [],
    run: async (kit) => {
      const script = "import sys; print(sys.stdin.read().upper(), end=''); print('log', file=sys.stderr); sys.exit(7)";
      const { end, stdout, stderr } = await kit.run(script, {}, async (box) => void box.stdin.end("abc"));
      if (end.cause.kind !== "exit" || end.cause.code !== 7)
        return `ended by ${JSON.stringify(end.cause)}, not by exit 7`;
      return stdout === "ABC" && stderr === "log\n" ? undefined : `said ${JSON.stringify({ stdout, stderr })}`;
    },
  },
  {
    name: "opens a channel where one is asked for, and no descriptor where none is",
    needs: [],
    run: async (kit) => {
      // The last one is the folder's own.
      const list = "import os\nprint(sorted(map(int, os.listdir('/proc/self/fd')))[:-1], flush=True)\n";
      const without = await kit.run(list);
      if (kit.walls && without.stdout !== "[0, 1, 2]\n")
        return `without a channel there are descriptors ${without.stdout}`;
      const box = await kit.start(`${list}while True: os.write(3, os.read(3, 65536).upper())`, {}, true);
      if (!kit.channels) {
        box.kill("it has no channel");
        await box.ended;
        return box.channel === undefined ? undefined : "has a channel that it cannot have";
      }
      const { channel } = box;
      if (channel === undefined) return "has no channel";
      const sent = "way ".repeat(100_000);
      let came = "";
      channel.on("data", (chunk: Buffer) => {
        came += chunk.toString();
        if (came.length === sent.length) box.kill("it has answered");
      });
      channel.write(sent);
      const end = await box.ended;
      if (came !== sent.toUpperCase()) return `answered ${came.length} characters of ${sent.length}`;
      return end.usage.outputBytes >= sent.length ? undefined : "does not count as output what comes there";
    },
  },
  {
    name: "names the signal a program died of",
    needs: [],
    run: async (kit) => {
      const { end } = await kit.run("import ctypes; ctypes.string_at(0)");
      return end.cause.kind === "signal" && end.cause.signal === "SIGSEGV"
        ? undefined
        : `ended by ${JSON.stringify(end.cause)}`;
    },
  },
  {
    name: "shows in /agent what is put there after the start",
    needs: [],
    run: async (kit) => {
      const { writeFile } = await import("node:fs/promises");
      const { join } = await import("node:path");
      const script =
        "import os, sys; sys.stdin.readline(); print(open(os.path.join(sys.stdin.readline().strip(), 'x')).read())";
      const { stdout } = await kit.run(script, {}, async (box) => {
        await new Promise((resolve) => setTimeout(resolve, 50));
        await writeFile(join(box.agentDir, "x"), "late");
        box.stdin.end(`go\n${box.agentPath}\n`);
      });
      return stdout === "late\n" ? undefined : `read ${JSON.stringify(stdout)}`;
    },
  },
  {
    name: "a kill carries its reason, and the first cause stays",
    needs: [],
    run: async (kit) => {
      const box = await kit.start("import time; time.sleep(60)");
      box.stdout.resume();
      box.stderr.resume();
      box.kill("first");
      box.kill("second");
      const { cause } = await box.ended;
      return cause.kind === "killed" && cause.reason === "first" ? undefined : `ended by ${JSON.stringify(cause)}`;
    },
  },
  {
    name: "says that its program is up once it speaks, and that it is over once it is silent",
    needs: [],
    run: async (kit) => {
      const box = await kit.start("import sys; print('up', flush=True); sys.stdin.read()");
      box.stderr.resume();
      await new Promise((resolve) => box.stdout.once("data", resolve));
      const speaking = { up: box.programUp, over: box.over };
      box.stdin.end();
      await new Promise((resolve) => box.stdout.once("close", resolve));
      // Its output closes a little before the process has gone.
      for (let tries = 0; tries < 200 && !box.over; tries++) await new Promise((resolve) => setTimeout(resolve, 5));
      const silent = { up: box.programUp, over: box.over };
      await box.ended;
      return speaking.up && !speaking.over && silent.up && silent.over
        ? undefined
        : JSON.stringify({ speaking, silent });
    },
  },
  ends("wall time", "wallTime", "import time; time.sleep(60)", { wallSeconds: 1 }, []),
  ends("CPU time", "cpuTime", "while True: pass", { cpuSeconds: 0.7 }, ["cpuSeconds"]),
  ends("CPU time of children too", "cpuTime", "import os\nos.fork()\nwhile True: pass", { cpuSeconds: 0.7 }, [
    "cpuSeconds",
  ]),
  ends("memory", "memory", "x = [bytearray(2**20) for _ in range(4096)]", { memoryBytes: 64 * MiB }, ["memoryBytes"]),
  ends(
    "pids",
    "pids",
    "import os, time\nfor _ in range(2000):\n  try:\n    pid = os.fork()\n  except OSError: time.sleep(20)\n  if pid == 0: time.sleep(20)",
    { pids: 16 },
    ["pids"],
  ),
  ends(
    "scratch bytes",
    "scratch",
    "import time\nf = open('/tmp/x', 'wb')\ntry:\n  while True: f.write(bytes(65536)); f.flush()\nexcept OSError: time.sleep(20)",
    { scratchBytes: MiB },
    ["scratchBytes"],
  ),
  ends(
    "scratch inodes",
    "scratch",
    "import time\ntry:\n  for i in range(10000): open('/tmp/%d' % i, 'w').close()\nexcept OSError: time.sleep(20)",
    { scratchInodes: 64 },
    ["scratchInodes"],
  ),
  ends("output", "output", "import sys\nwhile True: sys.stdout.write('x' * 65536)", { outputBytes: MiB }, []),
  {
    name: "scratch bytes, by a program that leaves at once",
    needs: ["scratchBytes"],
    run: async (kit) =>
      differs(
        (
          await kit.run(
            "import time; time.sleep(0.2)\ntry:\n  while True: open('/tmp/x', 'ab').write(bytes(2**20))\nexcept OSError: pass",
            { scratchBytes: MiB },
          )
        ).end,
        "scratch",
      ),
  },
  {
    name: "open files",
    needs: ["openFiles"],
    run: async (kit) => {
      const { stdout } = await kit.run(
        "fs = []\ntry:\n  while True: fs.append(open('/dev/null'))\nexcept OSError as e: print(e.errno, len(fs))",
        { openFiles: 32 },
      );
      const [errno, count] = stdout.trim().split(" ").map(Number);
      return errno === 24 && count! < 32 && count! > 16 ? undefined : `said ${JSON.stringify(stdout)}`;
    },
  },
  {
    name: "CPU share",
    needs: ["cpus", "cpuSeconds"],
    run: async (kit) => {
      const box = await kit.start("print('up', flush=True)\nwhile True: pass", { cpus: 0.25 });
      box.stderr.resume();
      await new Promise((resolve) => box.stdout.once("data", resolve));
      const began = performance.now();
      const before = box.clocks().cpuMs;
      await new Promise((resolve) => setTimeout(resolve, 1500));
      const share = (box.clocks().cpuMs - before) / (performance.now() - began);
      box.kill("enough");
      await box.ended;
      return share > 0.02 && share < 0.5 ? undefined : `used ${share} of a CPU where a quarter was its share`;
    },
  },
  {
    name: "freezes and thaws",
    needs: ["cpuSeconds"],
    run: async (kit) => {
      const box = await kit.start("print('up', flush=True)\nwhile True: pass");
      box.stderr.resume();
      await new Promise((resolve) => box.stdout.once("data", resolve));
      box.freeze();
      // On a busy host it may take a while until each of its processes was at the point where it stops.
      let before = 0;
      let frozen = Number.POSITIVE_INFINITY;
      for (let tries = 0; tries < 10 && frozen >= 20; tries++) {
        await new Promise((resolve) => setTimeout(resolve, 60));
        before = box.clocks().cpuMs;
        await new Promise((resolve) => setTimeout(resolve, 300));
        frozen = box.clocks().cpuMs - before;
      }
      box.thaw();
      // On a busy host its turn may be long in coming.
      let thawed = 0;
      for (let tries = 0; tries < 100 && thawed <= frozen + 20; tries++) {
        await new Promise((resolve) => setTimeout(resolve, 100));
        thawed = box.clocks().cpuMs - before;
      }
      box.freeze();
      box.kill("enough");
      const { cause } = await box.ended;
      if (cause.kind !== "killed") return `ended by ${JSON.stringify(cause)}`;
      return frozen < 20 && thawed > frozen + 20
        ? undefined
        : `used ${frozen} ms frozen and ${thawed} ms after the thaw`;
    },
  },
];
