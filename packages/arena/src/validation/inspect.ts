/** Looks through an agent's files in a box of its own, by the interpreter that would run them. Nothing of the agent runs there. */
import { setTimeout } from "node:timers/promises";
import { SandboxError } from "@lanista/sandbox/errors";
import type { SandboxHost } from "@lanista/sandbox/host";
import type { Cause, Sandbox, SandboxStamp } from "@lanista/sandbox/types";
import type { AgentBoxesOptions } from "../agent-boxes.ts";
import { GUEST_DIR, type Interpreter, type Interpreters, imageCommand, languageCommand } from "../agents/command.ts";
import { copyIn } from "../agents/copy-in.ts";
import type { PreparedAgent } from "../agents/types.ts";
import { LineReader } from "../line-reader.ts";
import { blameForEnd, cleanDetail } from "../seat-fault.ts";
import { SeatLog } from "../seat-log.ts";
import { InspectionLines } from "./inspection-lines.ts";

const MiB = 1024 * 1024;
/** Of the box in which files are looked through (not the agent's: a tree takes far more than the program it is of), and seconds it may take. */
export const INSPECTION_MEMORY_BYTES = 1024 * MiB;
export const INSPECTION_SECONDS = 60;
/** How long what was written before a box ended is waited for. */
const SETTLE_MS = 500;

/** Boxes as a match would open them. */
export type ValidationBoxes = Omit<AgentBoxesOptions, "warm">;

/** What a box of a validation is for. */
export type ValidationBox = "inspection" | "dry_run";

export interface InspectionRequest {
  readonly agent: PreparedAgent;
  readonly language: "python" | "javascript";
  /** Source files to look through, relative to the agent's folder. */
  readonly files: readonly string[];
  /** The file of requirements, where there is one. */
  readonly requirements: string | null;
  readonly forbidden: readonly string[];
  readonly host: SandboxHost;
  readonly boxes: ValidationBoxes;
  readonly seconds: number;
  readonly signal: AbortSignal | undefined;
  readonly onReady: ((box: ValidationBox, milliseconds: number) => void) | undefined;
}

export interface Inspection {
  readonly lines: InspectionLines;
  /** What the files' own doing was, if the program did not come to its end. */
  readonly broken: string | undefined;
  readonly stamp: SandboxStamp;
}

/** Throws SandboxError where the fault is the host's, InterpreterMissingError, and the signal's reason. */
export async function inspectFiles(request: InspectionRequest): Promise<Inspection> {
  const { agent, files, requirements, signal, onReady } = request;
  const askedMs = performance.now();
  const box = await open(request);
  const stop = (): void => box.kill("the validation was cancelled");
  signal?.addEventListener("abort", stop);
  try {
    if (signal?.aborted) stop();
    await copyIn(agent, box.agentDir);
    const asked = requirements === null ? files : [...files, requirements];
    const lines = new InspectionLines(asked);
    const reading = readReport(box, lines);
    box.stdout.once("data", () => onReady?.("inspection", performance.now() - askedMs));
    const log = new SeatLog(box.stderr);
    box.stdin.on("error", () => {});
    const ask = { agent_dir: box.agentPath, files, requirements, forbidden: request.forbidden };
    box.stdin.write(`${JSON.stringify(ask)}\n`);
    const malformed = await reading;
    if (lines.done || malformed) box.kill("its report is read");
    const { cause, stamp } = await box.ended;
    signal?.throwIfAborted();
    if (lines.done) return { lines, broken: undefined, stamp };
    if (malformed) return { lines, broken: "the report on it could not be understood", stamp };
    return { lines, broken: brokenBy(cause, lines, log), stamp };
  } finally {
    signal?.removeEventListener("abort", stop);
    box.kill("the validation is over");
    await box.ended;
  }
}

function open({ language, host, boxes, seconds }: InspectionRequest): Promise<Sandbox> {
  const { interpreters, guestDir, limits, image, ...walls } = boxes;
  const inImage = language === "python" && image !== undefined;
  const command = inImage ? imageCommand(guestDir) : languageCommand(language, interpreters, guestDir);
  return host.start({
    ...walls,
    ...(inImage ? { root: { image } } : {}),
    argv: inImage ? ["/bin/sh", "-c", `exec python3 ${PYTHON.join(" ")}`] : inspector(language, interpreters),
    env: command.env,
    mounts: command.mounts,
    limits: {
      ...(limits?.cpus === undefined ? {} : { cpus: limits.cpus }),
      wallSeconds: seconds,
      cpuSeconds: seconds,
      memoryBytes: INSPECTION_MEMORY_BYTES,
      outputBytes: 2 * MiB,
    },
  });
}

const PYTHON = ["-I", "-B", "-X", "utf8", `${GUEST_DIR}/python/validate.py`];
const JAVASCRIPT = ["--experimental-vm-modules", "--no-warnings", `${GUEST_DIR}/javascript/validate.mjs`];

/** By the host's interpreter, which languageCommand has found. */
function inspector(language: InspectionRequest["language"], interpreters: Interpreters): string[] {
  const { path } = interpreters[language] as Interpreter;
  return [path, ...(language === "python" ? PYTHON : JAVASCRIPT)];
}

/** Resolves when the report is whole, malformed (true), or can come no further. */
async function readReport(box: Sandbox, lines: InspectionLines): Promise<boolean> {
  const reader = new LineReader();
  const whole = new Promise<boolean>((resolve) => {
    box.stdout.on("error", () => {});
    box.stdout.on("close", () => resolve(false));
    box.stdout.on("data", (chunk: Buffer) => {
      let good = true;
      const short = reader.push(chunk, (line) => {
        good &&= lines.done || lines.take(line);
      });
      if (lines.done) resolve(false);
      else if (!good || !short) resolve(true);
    });
  });
  return Promise.race([whole, box.ended.then(() => Promise.race([whole, setTimeout(SETTLE_MS, false)]))]);
}

/** Throws where it is not the files' doing. */
function brokenBy(cause: Cause, lines: InspectionLines, log: SeatLog): string {
  const blame = blameForEnd(cause, true);
  if (blame.kind === "infra") throw new SandboxError("fault", blame.detail);
  if (lines.current === undefined) {
    const said = cleanDetail(log.content().toString("utf8").slice(-1000));
    throw new SandboxError("fault", `the files could not be looked through: ${blame.detail}; ${said}`);
  }
  return `the interpreter did not come to the end of it: ${blame.detail.replace("the agent's program", "it")}`;
}
