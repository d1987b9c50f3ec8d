/** Questions to the person at the terminal, on standard error; a password is not shown while it is typed. */
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import type { Context } from "../context.ts";
import type { Terminal } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

/** Throws UsageError where nobody sits there; `instead` says what to give then. */
export async function ask(context: Context, question: string, instead: string, hidden = false): Promise<string> {
  const { stdin, stderr } = context.terminal;
  if (stdin.isTTY !== true) throw new UsageError(`there is no terminal to ask at: give ${instead}`);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  stderr.write(question);
  const lines = createInterface({ input: stdin, output: hidden ? silent : process.stderr, terminal: true });
  try {
    return await lines.question("", { signal: context.signal });
  } finally {
    lines.close();
    if (hidden) stderr.write("\n");
  }
}

/** The first line of standard input, for scripts: `--password-stdin`. */
export async function lineOfStdin({ stdin }: Terminal): Promise<string> {
  const lines = createInterface({ input: stdin });
  for await (const line of lines) return line;
  throw new UsageError("standard input has no line");
}
