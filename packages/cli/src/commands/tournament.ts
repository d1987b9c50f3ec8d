import type { EpisodeSource } from "@lanista/arena/episodes/episodes";
import { playTournament, type TournamentProgress, type TournamentResult } from "@lanista/arena/tournament";
import { Command } from "commander";
import { withArena } from "../arena.ts";
import type { Context } from "../context.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { namedBuiltIn } from "../named-environment.ts";
import { integer } from "../option-values.ts";
import { unclosedText } from "../outcome-text.ts";
import { addPlayOptions, arenaOptions, matchOptions, type PlayOptions } from "../play-options.ts";
import { startProgress } from "../progress.ts";
import { oneLine, painter, writeJson, writeLine } from "../terminal.ts";
import { tournamentText } from "../tournament-text.ts";
import { plural } from "../units.ts";
import { UsageError } from "../usage-error.ts";

interface TournamentOptions extends PlayOptions {
  readonly rounds: number;
  readonly concurrency?: number;
  readonly replays?: string;
}

export function tournamentCommand(context: Context): Command {
  const command = new Command("tournament")
    .description("play a round robin between agents: every pairing in every seating")
    .argument("<env>", "the environment's id, see env list; or its bundle, a folder or a .zip")
    .argument("<agent...>", "at least as many as there are seats: files, folders or .zips")
    .option("--rounds <n>", "how often every pairing meets in every seating", integer(1, 10_000), 1)
    .option("--concurrency <n>", "matches at a time (default: as many as the CPUs can seat)", integer(1, 1024));
  return addPlayOptions(
    command,
    "the seed that every match's own comes from (default: each match draws its own, and the result's seed is null)",
  )
    .option("--replays <dir>", "write every match's replay and logs into this folder")
    .addHelpText(
      "after",
      `
Ends with 0 if every match was played, agents' faults included: they stand in the table. Ends with 4 if our fault ended
one, which then counts for nobody, or if a file could not be written.

Example:
  $ lanista tournament connect-four agents/*.py --rounds 5 --replays replays`,
    )
    .action((env: string, agents: readonly string[], options: TournamentOptions) =>
      play(context, env, agents, options),
    );
}

async function play(
  context: Context,
  id: string,
  agents: readonly string[],
  options: TournamentOptions,
): Promise<void> {
  const { terminal, signal } = context;
  const given = options.option ?? [];
  const builtin = namedBuiltIn(id, given);
  if (builtin !== undefined) checkEnough(builtin, agents.length);
  const { concurrency, replays } = options;
  const progress = startProgress(terminal, "Playing the first matches…");
  const onUnclosed = (error: Error): void => progress.note(unclosedText(error));
  let result: TournamentResult;
  try {
    result = await withArena(
      agents,
      arenaOptions(options),
      async (contenders, host) => {
        const play = (env: EpisodeSource): Promise<TournamentResult> => {
          checkEnough(env, agents.length);
          return playTournament({
            env,
            contenders,
            ...matchOptions(options),
            rounds: options.rounds,
            ...(concurrency === undefined ? {} : { concurrency }),
            ...(replays === undefined ? {} : { replays }),
            signal,
            onProgress: (event) => progress.update(progressText(event)),
          });
        };
        if (builtin !== undefined) return play(builtin);
        const { withSource } = await import("../bundled.ts");
        return withSource(host, { path: id, given, options: arenaOptions(options), signal, onUnclosed }, play);
      },
      onUnclosed,
    );
  } finally {
    progress.end();
  }
  context.exit(exitCode(result));
  if (options.json) writeJson(terminal, result);
  else writeLine(terminal, tournamentText(result, painter(terminal, terminal.stdout)));
}

function checkEnough({ id, views }: EpisodeSource, agents: number): void {
  if (agents < views.length)
    throw new UsageError(
      `a tournament of ${id} needs at least ${plural(views.length, "agent")}, but ${plural(agents, "was", "were")} given`,
    );
}

function progressText({ done, total, match }: TournamentProgress): string {
  const { outcome, seats } = match.result;
  const last = seats.map((seat) => `${seat.agent} ${seat.score ?? "–"}`).join(", ");
  return oneLine(
    `${done} of ${total} matches played; last: ${last}${outcome.kind === "completed" ? "" : ` (${outcome.kind})`}`,
  );
}

function exitCode({ cancelled, matches }: TournamentResult): ExitCode {
  if (cancelled) return EXIT.interrupted;
  const ours = matches.some(({ result }) => result.outcome.kind === "infra_fault" || result.unwritten.length > 0);
  return ours ? EXIT.infraFault : EXIT.done;
}
