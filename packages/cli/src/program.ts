import { ENGINE_VERSION } from "@lanista/arena/version";
import { Command } from "commander";
import { backupCommand } from "./commands/backup.ts";
import { configCommand } from "./commands/config.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { envCommand } from "./commands/env.ts";
import { gradeCommand } from "./commands/grade.ts";
import { initCommand } from "./commands/init.ts";
import { matchCommand } from "./commands/match.ts";
import { replayCommand } from "./commands/replay.ts";
import { restoreCommand } from "./commands/restore.ts";
import { serveCommand } from "./commands/serve.ts";
import { taskCommand } from "./commands/task.ts";
import { tournamentCommand } from "./commands/tournament.ts";
import { validateCommand } from "./commands/validate.ts";
import type { Context } from "./context.ts";
import { EXIT_CODES_HELP } from "./exit-code.ts";

/** The command line, as far as `argv` may mean it. Every parse error throws a CommanderError, its message already on standard error. */
export async function createProgram(context: Context, argv: readonly string[]): Promise<Command> {
  const { stdout, stderr } = context.terminal;
  const program = new Command("lanista")
    .description("Runs code that nobody trusts against environments, and says truthfully how well it did.")
    .version(ENGINE_VERSION, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "print a command's help")
    .showHelpAfterError("(--help shows what is possible)")
    .configureOutput({ writeOut: (text) => stdout.write(text), writeErr: (text) => stderr.write(text) })
    .addHelpText("after", `${EXIT_CODES_HELP}\n`)
    .addHelpText(
      "after",
      "Example:\n  $ lanista init agent --lang python my-agent\n  $ lanista match connect-four my-agent my-agent",
    );
  const local = new Set<string>();
  for (const make of [
    matchCommand,
    tournamentCommand,
    replayCommand,
    gradeCommand,
    taskCommand,
    envCommand,
    validateCommand,
    initCommand,
    doctorCommand,
    serveCommand,
    configCommand,
    backupCommand,
    restoreCommand,
  ]) {
    const command = make(context).helpGroup("On this machine:");
    local.add(command.name());
    program.addCommand(command);
  }
  // These bring the RPC library, which a match has no use for and would wait for.
  if (!local.has(argv[0] ?? "")) {
    const { serverCommands } = await import("./server-commands.ts");
    for (const command of serverCommands(context)) program.addCommand(command.helpGroup("At a server:"));
  }
  settle(program);
  return program;
}

/** Settings that commander does not hand down to commands that are added ready-made. */
function settle(command: Command): void {
  command.exitOverride();
  for (const child of command.commands) {
    child.copyInheritedSettings(command);
    settle(child);
  }
}
