/**
 * Theory of operation of the command. `main.ts` gives the process's streams and signals to `run`; `run` builds the
 * program out of one file a command, parses, and turns whatever ends a command into an exit code and, if it is an error,
 * into words. A command gets a Context and returns; it never ends the process. With --json standard output gets exactly
 * one document, also when the command failed: {"error": {"code", "message"}}.
 */
import type { LanistaError } from "@lanista/api/errors";
import { InterpreterMissingError } from "@lanista/arena/agents/command";
import { BundleError } from "@lanista/arena/agents/types";
import { EnvironmentBundleError } from "@lanista/arena/bundled/bundle-error";
import { EnvironmentFault } from "@lanista/arena/episodes/episodes";
import { TaskError } from "@lanista/arena/grading/task-error";
import { OptionError } from "@lanista/games/options";
import { ReplayError } from "@lanista/games/replay-types";
import { SandboxError } from "@lanista/sandbox/errors";
import { CommanderError } from "commander";
import type { Context } from "./context.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { createProgram } from "./program.ts";
import { painter, printable, type Terminal, writeJson } from "./terminal.ts";
import { UsageError } from "./usage-error.ts";

/** Runs one command line (without the program's own name) to its end. Never throws. */
export async function run(
  argv: readonly string[],
  terminal: Terminal,
  signal: AbortSignal,
  { onSecondSignal = () => {}, endBySignal = () => {} }: Partial<Pick<Context, "onSecondSignal" | "endBySignal">> = {},
): Promise<ExitCode> {
  let code: ExitCode = EXIT.done;
  const context: Context = { terminal, signal, onSecondSignal, endBySignal, exit: (wanted) => (code = wanted) };
  try {
    await (await createProgram(context, argv)).parseAsync([...argv], { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.done;
    if (signal.aborted) return EXIT.interrupted;
    return report(await fromServer(error), argv.includes("--json"), terminal);
  }
}

function report(error: unknown, json: boolean, terminal: Terminal): ExitCode {
  const ours = !isUsage(error);
  const message = isLanistaError(error) ? sentences(error) : error instanceof Error ? error.message : String(error);
  if (json) writeJson(terminal, { error: { code: ours ? "fault" : "usage", message } });
  // Commander has said it on standard error already.
  if (error instanceof CommanderError) return EXIT.usage;
  const paint = painter(terminal, terminal.stderr);
  terminal.stderr.write(`${paint("red", "lanista:")} ${printable(message)}\n`);
  if (ours && error instanceof Error && !isLanistaError(error) && error.stack !== undefined)
    terminal.stderr.write(`${paint("dim", printable(error.stack.split("\n").slice(1).join("\n")))}\n`);
  return ours ? EXIT.infraFault : EXIT.usage;
}

/** By name: its module brings the whole RPC library, which most commands have no use for. */
const isLanistaError = (error: unknown): error is LanistaError =>
  error instanceof Error && error.name === "LanistaError";

/** What a server's answer says, where the error is one. */
async function fromServer(error: unknown): Promise<unknown> {
  if (!(error instanceof Error && error.name === "ConnectError")) return error;
  const { fromWire } = await import("@lanista/api/errors");
  return fromWire(error);
}

/** What was refused, where, and what to do. */
function sentences({ message, field, hint }: LanistaError): string {
  const where = field === "" ? "" : ` (${field})`;
  return hint === "" ? `${message}${where}` : `${message}${where}. ${hint}`;
}

function isUsage(error: unknown): boolean {
  return (
    error instanceof UsageError ||
    error instanceof CommanderError ||
    error instanceof OptionError ||
    error instanceof BundleError ||
    error instanceof TaskError ||
    error instanceof EnvironmentBundleError ||
    (error instanceof EnvironmentFault && !error.ours) ||
    error instanceof InterpreterMissingError ||
    error instanceof ReplayError ||
    (error instanceof SandboxError && error.code === "refused") ||
    (isLanistaError(error) && error.code !== "internal" && error.code !== "unavailable")
  );
}
