import type { EpisodeSource } from "@lanista/arena/episodes/episodes";
import { type PlayedMatch, playMatch } from "@lanista/arena/match";
import type { MatchProgress } from "@lanista/arena/match-plan";
import { Command } from "commander";
import { withArena } from "../arena.ts";
import type { Context } from "../context.ts";
import { matchText } from "../match-text.ts";
import { namedBuiltIn } from "../named-environment.ts";
import { outcomeExit, unclosedText } from "../outcome-text.ts";
import { addPlayOptions, arenaOptions, checkSeats, matchOptions, type PlayOptions } from "../play-options.ts";
import { startProgress } from "../progress.ts";
import { oneLine, painter, writeJson, writeLine } from "../terminal.ts";
import { plural } from "../units.ts";

interface MatchOptions extends PlayOptions {
  readonly replay?: string;
  readonly logs?: string;
}

export function matchCommand(context: Context): Command {
  const command = new Command("match")
    .description("play one match between agents, each in a sandbox of its own")
    .argument("<env>", "the environment's id, see env list; or its bundle, a folder or a .zip")
    .argument("<agent...>", "one for each seat, in order: a file, a folder or a .zip");
  return addPlayOptions(command, "the seed of everything random (default: drawn)")
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
  const given = options.option ?? [];
  const builtin = namedBuiltIn(id, given);
  if (builtin !== undefined) checkSeats(builtin, agents.length);
  const playing = new Playing(options.episodes);
  const progress = startProgress(terminal, () => playing.text());
  const onUnclosed = (error: Error): void => progress.note(unclosedText(error));
  let played: PlayedMatch;
  try {
    played = await withArena(
      agents,
      arenaOptions(options),
      async (contenders, host) => {
        const play = (env: EpisodeSource): Promise<PlayedMatch> => {
          checkSeats(env, agents.length);
          return playMatch({
            env,
            contenders,
            ...matchOptions(options),
            ...(options.replay === undefined ? {} : { replay: options.replay }),
            ...(options.logs === undefined ? {} : { logs: options.logs }),
            signal,
            onReplayLine: (line) => playing.line(line),
            onProgress: (event) => {
              playing.event(event);
              if (event.kind === "repeat") progress.note(`Our fault, played again: ${oneLine(event.detail)}`);
            },
          });
        };
        if (builtin !== undefined) return play(builtin);
        const { withSource } = await import("../bundled.ts");
        const request = { path: id, given, options: arenaOptions(options), signal, onUnclosed };
        return withSource(host, request, play);
      },
      onUnclosed,
    );
  } finally {
    progress.end();
  }
  const { result, board } = played;
  context.exit(outcomeExit(result));
  if (options.json) writeJson(terminal, result);
  else writeLine(terminal, matchText(result, board ?? undefined, painter(terminal, terminal.stdout)));
}

/** How far the match is, for the line of progress. */
class Playing {
  readonly #episodes: number;
  #attempt = 0;
  #ended = 0;
  #steps = 0;

  constructor(episodes: number) {
    this.#episodes = episodes;
  }

  event(event: MatchProgress): void {
    if (event.kind === "episode") this.#ended = event.episode + 1;
    if (event.kind !== "started") return;
    this.#attempt = event.attempt;
    this.#ended = 0;
    this.#steps = 0;
  }

  /** A line of the replay that is a step begins with its actions (docs/replay-format.md). */
  line(line: string): void {
    if (line.startsWith('{"a":')) this.#steps++;
  }

  text(): string {
    const attempt = this.#attempt > 1 ? `, attempt ${this.#attempt}` : "";
    if (this.#steps === 0) return `Starting the agents${attempt}…`;
    const episodes = this.#episodes === 1 ? "" : `${this.#ended} of ${this.#episodes} episodes, `;
    return `Playing${attempt}: ${episodes}${plural(this.#steps, "step")}`;
  }
}
