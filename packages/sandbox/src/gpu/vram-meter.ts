/**
 * How much GPU memory each process holds, by NVML, a few times a second. One for all boxes of a host; a box's share is what the
 * processes of its control group hold, so that no child escapes it.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { z } from "zod";
import { SandboxError } from "../errors.ts";
import { NVML_HELPER } from "./nvml-helper.ts";

const EVERY_MS = 100;
/** Without an answer for so long nobody can be held to a limit. */
const STALE_MS = 5000;

const answer = z.union([
  z.strictObject({ used: z.record(z.string().regex(/^\d+$/), z.number().nonnegative()) }),
  z.strictObject({ error: z.string() }),
]);

/** LANISTA_NVML, or the driver's own library, found by the loader. */
export function nvmlLibrary(): string {
  return process.env.LANISTA_NVML || "libnvidia-ml.so.1";
}

export class VramMeter {
  readonly #child: ChildProcess;
  readonly #timer: NodeJS.Timeout;
  #used = new Map<number, number>();
  #seenMs = performance.now();
  #failure: string | undefined;
  #asked = 1;

  private constructor(child: ChildProcess, lines: NodeJS.EventEmitter) {
    this.#child = child;
    lines.on("line", (line: string) => this.#take(line));
    child.once("exit", (code, signal) => {
      this.#failure ??= `what asks NVML ended (${code ?? signal})`;
    });
    child.stdin!.on("error", () => {});
    this.#timer = setInterval(() => {
      // One question at a time: a driver that is slow must not have a thousand wait.
      if (this.#asked > 0 || this.#failure !== undefined) return;
      this.#asked++;
      child.stdin!.write("\n");
    }, EVERY_MS);
    this.#timer.unref();
  }

  /** Throws SandboxError `refused` where NVML cannot be asked. */
  static async open(library: string = nvmlLibrary()): Promise<VramMeter> {
    const child = spawn("setpriv", ["--pdeathsig", "KILL", "python3", "-I", "-c", NVML_HELPER, library], {
      stdio: ["pipe", "pipe", "ignore"],
    });
    const lines = createInterface({ input: child.stdout! });
    const meter = new VramMeter(child, lines);
    await new Promise<void>((resolve) => {
      lines.once("line", () => resolve());
      child.once("error", (error) => {
        meter.#failure ??= error.message;
        resolve();
      });
      child.once("exit", () => resolve());
    });
    const why = meter.problem;
    if (why === undefined) return meter;
    await meter.close();
    throw new SandboxError("refused", `the GPUs' memory cannot be measured (${library}): ${why}`);
  }

  #take(line: string): void {
    this.#asked = 0;
    this.#seenMs = performance.now();
    const said = answer.safeParse(
      ((): unknown => {
        try {
          return JSON.parse(line);
        } catch {
          return undefined;
        }
      })(),
    );
    if (!said.success) this.#failure ??= "what asks NVML does not answer as it should";
    else if ("error" in said.data) this.#failure ??= said.data.error;
    else this.#used = new Map(Object.entries(said.data.used).map(([pid, bytes]) => [Number(pid), bytes]));
  }

  /** Why it does not know any more; undefined as long as it does. */
  get problem(): string | undefined {
    if (this.#failure !== undefined) return this.#failure;
    return performance.now() - this.#seenMs > STALE_MS ? "NVML does not answer" : undefined;
  }

  /** Bytes that these processes held when it was last asked. */
  bytesOf(pids: readonly number[]): number {
    return pids.reduce((sum, pid) => sum + (this.#used.get(pid) ?? 0), 0);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined) return;
    const gone = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.kill("SIGKILL");
    await gone;
  }
}
