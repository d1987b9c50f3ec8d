/** The options that `match` and `tournament` share, and what they become. */
import { type Command, Option } from "commander";
import { integer, repeated, seconds } from "./numbers.ts";

export const TIERS = ["container", "gvisor", "none"] as const;
export type TierName = (typeof TIERS)[number];

export interface PlayOptions {
  readonly seed?: number;
  readonly episodes: number;
  readonly option: readonly string[];
  readonly timePerMove: number;
  readonly timeBank: number;
  readonly tier: TierName;
  readonly onFault: "forfeit" | "random";
  readonly json?: true;
}

export function addPlayOptions(command: Command): Command {
  return command
    .option("--seed <n>", "the seed of everything random (default: drawn)", integer(0, Number.MAX_SAFE_INTEGER))
    .option("--episodes <n>", "episodes in a match", integer(1, 100_000), 1)
    .option("--option <name=value>", "an option of the environment; may be repeated", repeated, [])
    .option("--time-per-move <seconds>", "time for each move", seconds(0.001, 3600), 5)
    .option("--time-bank <seconds>", "time of each seat beyond that, for the whole match", seconds(0, 86_400), 0)
    .addOption(
      new Option("--tier <tier>", "how strong the sandbox's walls are; none is no sandbox at all")
        .choices(TIERS)
        .default("container"),
    )
    .addOption(
      new Option("--on-fault <what>", "lose the match by a fault, or go on with a random legal move")
        .choices(["forfeit", "random"])
        .default("forfeit"),
    )
    .option("--json", "print one JSON document");
}
