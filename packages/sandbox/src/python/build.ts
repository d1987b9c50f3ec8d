/**
 * One build: a box without a network, the program that speaks for it (guest/python/packages_build.py), and the conversation with
 * it. The box is hostile from its first byte: whatever goes wrong in there is the requirements' fault, except where the index
 * did not answer or the box's runtime failed.
 */
import { stripVTControlCharacters } from "node:util";
import { z } from "zod";
import { mostOpenFiles } from "../enforceable.ts";
import type { SandboxHost } from "../host.ts";
import type { Cause, ReadOnlyMount, Sandbox, SandboxSpec } from "../types.ts";
import type { BuildLimits } from "./build-limits.ts";
import { FrameReader, frame } from "./frames.ts";
import type { IndexClient } from "./index-client.ts";
import { IndexRelay } from "./index-relay.ts";
import type { IndexSettings } from "./index-settings.ts";
import { PackagesError } from "./packages-error.ts";
import type { Requirements } from "./requirements.ts";
import { type Unpacked, Unpacker } from "./unpack.ts";
import type { Uv } from "./uv.ts";

const MiB = 1024 * 1024;
const MOST_REQUESTS = 20_000;
/** Of what is said to people: reading it is work of ours. */
const MOST_WORDS = 16 * 1024 * 1024;
/** Of what uv says, the end is kept. */
const KEPT_WORDS = 4000;

export interface BuildInput {
  readonly host: SandboxHost;
  /** Tier, runtime, root and the interpreter's mounts. */
  readonly walls: Omit<SandboxSpec, "argv" | "limits" | "env" | "cwd">;
  /** The interpreter's path inside. */
  readonly python: string;
  /** The folder of guest programs on the host. */
  readonly guestDir: string;
  readonly uv: Uv;
  readonly client: IndexClient;
  readonly settings: IndexSettings;
  readonly requirements: Requirements;
  readonly constraints: readonly string[];
  readonly buildConstraints: readonly string[];
  readonly limits: BuildLimits;
  /** Empty: where the files go. */
  readonly folder: string;
  readonly onLine: (line: string) => void;
  readonly signal: AbortSignal;
}

const CONTROLS = /[^\P{Cc}\n]/gu;

const done = z.strictObject({ ok: z.boolean(), step: z.enum(["venv", "install"]).optional() });

function specOf(input: BuildInput): SandboxSpec {
  const { walls, limits, settings, uv, guestDir } = input;
  const folders = settings.folders.map((source, index): ReadOnlyMount => ({ source, target: `/find-links/${index}` }));
  return {
    ...walls,
    // uv speaks HTTP with the program that speaks for it, and locks its cache.
    loopback: true,
    locks: true,
    argv: [input.python, "-I", "-B", "/guest/python/packages_build.py"],
    mounts: [
      ...(walls.mounts ?? []),
      { source: guestDir, target: "/guest" },
      { source: uv.folder, target: "/uv" },
      ...folders,
    ],
    limits: {
      cpus: limits.cpus,
      cpuSeconds: limits.cpuSeconds,
      wallSeconds: limits.wallSeconds,
      memoryBytes: limits.memoryBytes + limits.diskBytes,
      pids: limits.pids,
      openFiles: Math.min(4096, mostOpenFiles()),
      scratchBytes: limits.diskBytes,
      scratchInodes: limits.diskFiles,
      // The files on their way out, and what is said.
      outputBytes: Math.ceil(limits.diskBytes * 1.1) + 64 * MiB,
    },
  };
}

/** Puts the environment's files into `folder`. Throws PackagesError, SandboxError as a start does, and what `signal` says. */
export async function build(input: BuildInput): Promise<Unpacked> {
  const { settings, limits, signal } = input;
  signal.throwIfAborted();
  const box = await input.host.start(specOf(input));
  const stop = (): void => box.kill("the build is not wanted any more");
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  let excess: string | undefined;
  const words = new Words(box, input.onLine, () => {
    excess ??= "it writes without end";
    box.kill(excess);
  });
  const relay = new IndexRelay({
    client: input.client,
    settings,
    bounds: { bytes: limits.downloadBytes, requests: MOST_REQUESTS },
    send: (kind, stream, data) => send(box, frame(kind, stream, data)),
    onExcess: (why) => {
      excess = why;
      box.kill(why);
    },
  });
  const unpacker = new Unpacker({
    folder: input.folder,
    bounds: { bytes: limits.diskBytes, entries: limits.diskFiles },
    isInterpreter: (path) => path === input.python || interpreterBelow(path, input.walls.mounts ?? []),
  });
  try {
    const said = await converse(box, relay, unpacker, input).catch((error: unknown) => {
      box.kill("it does not speak as it should");
      return error as Error;
    });
    const { cause } = await box.ended;
    await words.ended;
    signal.throwIfAborted();
    if (excess !== undefined) throw new PackagesError("requirements", `the packages cannot be built: ${excess}`);
    if (said instanceof PackagesError && said.kind === "infra") throw said;
    const broken = breach(cause, limits);
    if (broken !== undefined) throw broken;
    if (said instanceof Error || said === undefined || !said.ok || cause.kind !== "exit" || cause.code !== 0) {
      if (relay.outage !== undefined) throw relay.outage;
      // Once it is not read any more, its last words are of that.
      const why = said instanceof Error ? said.message : words.text || `the build ended early (${describe(cause)})`;
      throw new PackagesError("requirements", `the packages cannot be installed: ${why}`);
    }
    return await unpacker.end();
  } finally {
    signal.removeEventListener("abort", stop);
    relay.stop();
    unpacker.destroy();
    box.kill("the build is over");
    await box.ended;
  }
}

function interpreterBelow(path: string, mounts: readonly ReadOnlyMount[]): boolean {
  return (
    !path.split("/").includes("..") &&
    ["/usr", ...mounts.map(({ target }) => target)].some((one) => path.startsWith(`${one}/`))
  );
}

/** What the box said last, once its output ended; undefined if it never said that it was done. Throws on what is no frame. */
async function converse(
  box: Sandbox,
  relay: IndexRelay,
  unpacker: Unpacker,
  input: BuildInput,
): Promise<z.infer<typeof done> | undefined> {
  const { settings, requirements, constraints, buildConstraints } = input;
  const configuration = {
    uv: "/uv/uv",
    python: input.python,
    requirements: requirements.lines,
    flags: requirements.flags,
    constraints,
    buildConstraints,
    indexes: settings.indexes.length,
    strategy: settings.strategy,
    folders: settings.folders.map((_, index) => `/find-links/${index}`),
  };
  await send(box, frame("C", 0, Buffer.from(JSON.stringify(configuration))));
  const reader = new FrameReader();
  let last: z.infer<typeof done> | undefined;
  for await (const chunk of box.stdout as AsyncIterable<Buffer>)
    for (const { kind, stream, data } of reader.read(chunk)) {
      if (last !== undefined) throw new Error("it went on after it was done");
      if (kind === "Q") relay.ask(stream, data);
      else if (kind === "A" && data.length === 4) relay.taken(stream, data.readUInt32BE(0));
      else if (kind === "X") relay.cancel(stream);
      else if (kind === "T") await unpacker.write(Buffer.from(data));
      else if (kind === "D") last = done.parse(JSON.parse(data.toString("utf8")));
      else throw new Error("it wrote something else than frames");
    }
  return last;
}

/** Resolves when more may be written, or nobody reads any more. */
function send(box: Sandbox, bytes: Buffer): Promise<void> {
  const { stdin } = box;
  if (stdin.destroyed || stdin.write(bytes)) return Promise.resolve();
  return new Promise((resolve) => {
    const go = (): void => {
      stdin.off("drain", go).off("close", go);
      resolve();
    };
    stdin.on("drain", go).on("close", go);
  });
}

/** A bound that was passed, or a fault of ours; undefined for an end of its own. */
function breach(cause: Cause, limits: BuildLimits): PackagesError | undefined {
  const theirs = (why: string): PackagesError =>
    new PackagesError("requirements", `the packages cannot be built: it ${why}`);
  switch (cause.kind) {
    case "wallTime":
      return theirs(`takes longer than ${limits.wallSeconds} seconds`);
    case "cpuTime":
      return theirs(`uses more than ${limits.cpuSeconds} seconds of CPU time`);
    case "memory":
      return theirs(`uses more than ${limits.memoryBytes} bytes of memory beside its disk`);
    case "scratch":
      return theirs(`fills its disk of ${limits.diskBytes} bytes and ${limits.diskFiles} files`);
    case "vram":
      return theirs("uses a GPU");
    case "pids":
      return theirs(`starts more than ${limits.pids} processes and threads`);
    case "output":
      return theirs("writes without end");
    case "runtimeFault":
      return new PackagesError("infra", `the box of the build failed: ${cause.detail}`);
    default:
      return undefined;
  }
}

function describe(cause: Cause): string {
  if (cause.kind === "exit") return `with status ${cause.code}`;
  return cause.kind === "signal" ? `by ${cause.signal}` : cause.kind;
}

/** What uv says: each line to whoever watches, the end of it for an error. */
class Words {
  readonly ended: Promise<void>;
  #kept = "";

  constructor(box: Sandbox, onLine: (line: string) => void, onExcess: () => void) {
    let open = "";
    let bytes = 0;
    box.stderr.on("data", (piece: Buffer) => {
      bytes += piece.length;
      if (bytes > MOST_WORDS) return onExcess();
      // Of the box's making: no control character of it reaches a terminal.
      const text = stripVTControlCharacters(piece.toString("utf8")).replace(CONTROLS, "");
      this.#kept = (this.#kept + text).slice(-KEPT_WORDS);
      const lines = (open + text).split("\n");
      open = lines.pop()!.slice(-KEPT_WORDS);
      for (const line of lines) if (line.trim() !== "") onLine(line.slice(0, 300));
    });
    this.ended = new Promise((resolve) => box.stderr.once("close", resolve));
  }

  get text(): string {
    return this.#kept.replace(/^Using Python .*\n/m, "").trim();
  }
}
