/** For tests: runs a command line in this process and keeps what it writes. */
import { Readable } from "node:stream";
import { run } from "./run.ts";

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Circumstances {
  readonly environment?: Readonly<Record<string, string>>;
  /** All of it. */
  readonly stdin?: string;
}

export function runCommand(...argv: readonly string[]): Promise<Ran> {
  return runCommandIn({}, ...argv);
}

export async function runCommandIn(circumstances: Circumstances, ...argv: readonly string[]): Promise<Ran> {
  const { environment = {}, stdin = "" } = circumstances;
  let stdout = "";
  let stderr = "";
  const terminal = {
    stdin: Readable.from([stdin]),
    stdout: { write: (text: string) => (stdout += text) },
    stderr: { write: (text: string) => (stderr += text) },
    environment,
  };
  const code = await run(argv, terminal, new AbortController().signal);
  return { code, stdout, stderr: withoutProgress(stderr) };
}

/** Lines of progress come where a host is slow: `Playing: 4 steps (15 s)`. */
export function withoutProgress(stderr: string): string {
  return stderr.replace(/^.* \((\d+ min )?\d+ s\)\n/gm, "");
}
