import { playMatch } from "@lanista/arena/match";
import type { MatchProgress } from "@lanista/arena/match-plan";
import { Command } from "commander";
import { openArena } from "../arena.ts";
import type { Context } from "../context.ts";
import { builtIn, fixed } from "../environments.ts";
import { matchText } from "../match-text.ts";
import { outcomeExit } from "../outcome-text.ts";
import { addPlayOptions, arenaOptions, checkSeats, matchOptions, type PlayOptions } from "../play-options.ts";
import { startProgress } from "../progress.ts";
import { note, painter, writeJson, writeLine } from "../terminal.ts";

interface MatchOptions extends PlayOptions {
  readonly replay?: string;
  readonly logs?: string;
}

export function matchCommand(context: Context): Command {
  const command = new Command("match")
    .description("play one match between agents, each in a sandbox of its own")
    .argument("<env>", "the environment's id, see env list")
    .argument("<agent...>", "one for each seat, in order: a file, a folder or a .zip");
  return addPlayOptions(command)
    .option("--replay <file>", "write the replay here (gzipped if the name ends in .gz), the agents' logs beside it")
    .option("--logs <dir>", "write each seat's log into this folder")
    .addHelpText(
      "after",
      `
Ends with 0 if the match was played to its end, 3 if an agent's fault decided it, 4 if the fault is ours
or a file could not be written; the result is told all the same.

Example:
  $ lanista match hex my-agent.py opponent.zip --option size=7 --replay game.jsonl`,
    )
    .action((env: string, agents: readonly string[], options: MatchOptions) => play(context, env, agents, options));
}

async function play(context: Context, id: string, agents: readonly string[], options: MatchOptions): Promise<void> {
  const { terminal, signal } = context;
  const env = fixed(builtIn(id), options.option ?? []);
  checkSeats(env, agents.length);
  const arena = await openArena(agents, arenaOptions(options));
  const progress = startProgress(terminal);
  try {
    const { result, board } = await playMatch({
      env,
      contenders: arena.contenders,
      ...matchOptions(options),
      ...(options.replay === undefined ? {} : { replay: options.replay }),
      ...(options.logs === undefined ? {} : { logs: options.logs }),
      signal,
      onProgress: (event) => {
        if (event.kind === "repeat") note(terminal, `Our fault, played again: ${event.detail}`);
        else progress.update(progressText(event, options.episodes));
      },
    });
    progress.end();
    context.exit(outcomeExit(result));
    if (options.json) writeJson(terminal, result);
    else writeLine(terminal, matchText(result, board ?? undefined, painter(terminal, terminal.stdout)));
  } finally {
    progress.end();
    await arena.close();
  }
}

function progressText(event: Exclude<MatchProgress, { kind: "repeat" }>, episodes: number): string {
  if (event.kind === "started") return event.attempt === 1 ? "Playing…" : `Playing, attempt ${event.attempt}…`;
  return `Playing: ${event.episode + 1} of ${episodes} episodes`;
}
