/** Runs hostile programs in real boxes, on each runtime that this host has. */
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { cgroupLayout } from "@lanista/sandbox/cgroup-layout";
import { unenforceable } from "@lanista/sandbox/enforceable";
import { SandboxHost } from "@lanista/sandbox/host";
import { findPython, type Interpreter } from "@lanista/sandbox/interpreters";
import { findExecutable } from "@lanista/sandbox/runtimes";
import { canStartEngine, startTestEngine, type TestEngine } from "@lanista/sandbox/testing/engine";
import { canMakeImage, makeTestImage } from "@lanista/sandbox/testing/image";
import type {
  GiveUp,
  Limits,
  ReadOnlyMount,
  Runtime,
  Sandbox,
  SandboxEnd,
  SandboxSpec,
  Tier,
} from "@lanista/sandbox/types";

export const ROOT = resolve(import.meta.dirname, "../../..");
export const HOSTILE = join(ROOT, "test/hostile");

export type TestedRuntime = Exclude<Runtime, "none">;

const TIERS: Readonly<Record<TestedRuntime, Tier>> = {
  crun: "container",
  runc: "container",
  runsc: "gvisor",
  docker: "docker",
};

/** The tier `docker` is tried with an engine of the tests' own. */
const isHere = (runtime: TestedRuntime): boolean =>
  runtime === "docker" ? canStartEngine : findExecutable(runtime) !== undefined;

/** The runtimes to test: all that are installed, or those that LANISTA_TEST_RUNTIMES names (for work on one of them). */
export const RUNTIMES: readonly TestedRuntime[] = (Object.keys(TIERS) as TestedRuntime[]).filter((runtime) => {
  const only = process.env.LANISTA_TEST_RUNTIMES?.split(",");
  return isHere(runtime) && (only === undefined || only.includes(runtime));
});

export const isRoot = process.getuid?.() === 0;

/** What the runtime cannot enforce on this host, and why. */
export function cannot(runtime: TestedRuntime): ReadonlyMap<GiveUp, string> {
  return unenforceable(runtime, cgroupLayout(), !isRoot);
}

/** Whether control groups bound the boxes of this user: only then may a program be run that eats without end. */
export const isGrouped = cgroupLayout().missing.size === 0;

/**
 * A runtime, and what its boxes' root is: the host's /usr, or the test image. Limits are the runtime's business and not the
 * root's, so over an image only what could be reached through the root is tried, with one runtime that umoci's roots are for.
 */
export interface Kind {
  readonly name: string;
  readonly runtime: TestedRuntime;
  readonly image?: true;
}

const OVER_IMAGE = RUNTIMES.find((runtime) => runtime !== "docker" && canMakeImage);

export const KINDS: readonly Kind[] = [
  ...RUNTIMES.map((runtime) => ({ name: runtime, runtime })),
  ...(OVER_IMAGE === undefined
    ? []
    : [{ name: `${OVER_IMAGE} over an image`, runtime: OVER_IMAGE, image: true as const }]),
];

export interface Stage {
  readonly host: SandboxHost;
  readonly runDir: string;
  readonly python: Interpreter;
  /** In the environment of every box of this stage: by it leftovers are found. */
  readonly marker: string;
  /** The control group of the engine's containers, where the tier `docker` is tested. */
  readonly engineGroup?: string;
  close(): Promise<void>;
}

let stages = 0;

/** A host with a run folder of its own, so that what it leaves behind can be told from other people's boxes. */
export async function openStage(): Promise<Stage> {
  const runDir = mkdtempSync(join(tmpdir(), "lanista-threats-"));
  const python = await findPython();
  let engine: TestEngine | undefined;
  if (RUNTIMES.includes("docker")) {
    engine = await startTestEngine();
    process.env.DOCKER_HOST = engine.address;
  }
  const host = await SandboxHost.open({ runDir, cacheDir: join(ROOT, ".cache/threats") });
  const marker = `threats-${process.pid}-${++stages}-${runDir.slice(-6)}`;
  return {
    host,
    runDir,
    python,
    marker,
    ...(engine === undefined ? {} : { engineGroup: engine.group }),
    async close() {
      await host.close();
      await engine?.stop();
      await rm(runDir, { recursive: true, force: true });
    },
  };
}

export interface Program {
  readonly runtime: TestedRuntime;
  /** Over the test image, not the host's /usr. */
  readonly image?: true | undefined;
  /** A file of test/hostile. */
  readonly file: string;
  readonly args?: readonly string[];
  readonly limits?: Partial<Limits>;
  readonly env?: Readonly<Record<string, string>>;
  readonly mounts?: readonly ReadOnlyMount[];
}

export function tierOf(runtime: TestedRuntime): Tier {
  return TIERS[runtime];
}

/** The image brings its own. */
export function pythonOf(stage: Stage, image: true | undefined): Pick<Interpreter, "path" | "mounts"> {
  return image ? { path: "/usr/bin/python3", mounts: [] } : stage.python;
}

export function specOf(stage: Stage, program: Program): SandboxSpec {
  const { runtime, image, file, args = [], limits, env, mounts = [] } = program;
  const python = pythonOf(stage, image);
  return {
    tier: tierOf(runtime),
    runtime,
    // The marker is seen in the command line even by a user who may not read the program's environment.
    argv: [python.path, "-B", `/hostile/${file}`, ...args, stage.marker],
    env: { LANISTA_MARKER: stage.marker, ...env },
    mounts: [...python.mounts, { source: HOSTILE, target: "/hostile" }, ...mounts],
    giveUp: [...cannot(runtime).keys()],
    ...(image ? { root: { image: makeTestImage(join(ROOT, ".cache")) } } : {}),
    ...(limits === undefined ? {} : { limits }),
  };
}

export function start(stage: Stage, program: Program): Promise<Sandbox> {
  return stage.host.start(specOf(stage, program));
}

export interface Ran {
  readonly end: SandboxEnd;
  readonly stdout: string;
  readonly stderr: string;
  /** Seconds from start to end, by this process's own clock. */
  readonly seconds: number;
}

/** Runs a program to its end. Its input is empty. */
export async function runProgram(stage: Stage, program: Program): Promise<Ran> {
  const from = performance.now();
  const box = await start(stage, program);
  box.stdin.end();
  const [stdout, stderr] = [collect(box.stdout), collect(box.stderr)];
  const end = await box.ended;
  const seconds = (performance.now() - from) / 1000;
  return { end, stdout: await stdout, stderr: await stderr, seconds };
}

/** All of a stream as text; what is past 4 MiB is counted and thrown away. */
export function collect(stream: NodeJS.ReadableStream): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  return new Promise((done) => {
    stream.on("data", (piece: Buffer) => {
      if (size < 4 << 20) pieces.push(piece);
      size += piece.length;
    });
    const finish = (): void => done(Buffer.concat(pieces).toString());
    stream.once("end", finish);
    stream.once("close", finish);
    stream.once("error", finish);
  });
}

/** Reads lines from a running box's standard output, one at a time. */
export class Lines {
  readonly #lines: AsyncIterator<string>;

  constructor(stream: NodeJS.ReadableStream) {
    this.#lines = createInterface({ input: stream })[Symbol.asyncIterator]();
  }

  /** Rejects after `seconds` without a line, and where none can come any more. */
  async next(seconds = 45): Promise<string> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no line within ${seconds} s`)), seconds * 1000);
    });
    try {
      const { done, value } = await Promise.race([this.#lines.next(), late]);
      if (done) throw new Error("the output has ended");
      return value;
    } finally {
      clearTimeout(timer);
    }
  }
}
