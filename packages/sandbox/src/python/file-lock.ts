/**
 * A lock between processes that no death leaves behind: util-linux's flock holds it, in a child that ends with its standard
 * input, which the kernel closes when we die.
 */
import { spawn } from "node:child_process";
import { SandboxError } from "../errors.ts";

export type Unlock = () => Promise<void>;

/** Waits for it. `wait: false`: undefined if somebody has it. Throws SandboxError `fault`, and what `signal` says. */
export async function lockFile(
  path: string,
  options: { signal?: AbortSignal; wait: false },
): Promise<Unlock | undefined>;
export async function lockFile(path: string, options?: { signal?: AbortSignal }): Promise<Unlock>;
export async function lockFile(
  path: string,
  options: { signal?: AbortSignal; wait?: boolean } = {},
): Promise<Unlock | undefined> {
  const { signal, wait = true } = options;
  signal?.throwIfAborted();
  const words = [...(wait ? [] : ["--nonblock"]), "--conflict-exit-code", "75", "--no-fork", path];
  const child = spawn("setpriv", ["--pdeathsig", "KILL", "flock", ...words, "sh", "-c", "echo; exec cat"], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin.on("error", () => {});
  let complaint = "";
  child.stderr.on("data", (piece: Buffer) => {
    complaint += piece.toString().slice(0, 1000);
  });
  const gone = new Promise<number | null>((resolve, reject) => {
    child.once("exit", resolve);
    child.once("error", reject);
  });
  const stop = (): void => {
    child.kill("SIGKILL");
  };
  signal?.addEventListener("abort", stop, { once: true });
  try {
    const held = new Promise<"held">((resolve) => child.stdout.once("data", () => resolve("held")));
    const first = await Promise.race([held, gone]);
    signal?.throwIfAborted();
    if (first === "held")
      return async () => {
        child.stdin.end();
        await gone;
      };
    if (first === 75) return undefined;
    throw new Error(complaint.trim() || `flock ended with ${first}`);
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw SandboxError.from(error, `locking ${path}`);
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}
