/** The options that `match` and `tournament` share, and what they become. */
import type { EpisodeSource } from "@lanista/arena/episodes/episodes";
import type { MatchRequest } from "@lanista/arena/match-plan";
import type { GiveUp } from "@lanista/sandbox/types";
import { type Command, Option } from "commander";
import type { ArenaOptions } from "./arena.ts";
import { integer, listed, repeated, seconds } from "./option-values.ts";
import { plural } from "./units.ts";
import { UsageError } from "./usage-error.ts";

const TIERS = ["container", "gvisor", "docker", "none"] as const;
/** The tier of each runtime. */
const RUNTIMES = { crun: "container", runc: "container", runsc: "gvisor" } as const;

/** What sandboxes are opened with. */
export interface BoxOptions {
  readonly tier?: (typeof TIERS)[number];
  readonly runtime?: keyof typeof RUNTIMES;
  readonly giveUp?: readonly string[];
  readonly gpu?: readonly string[];
}

export interface PlayOptions extends BoxOptions {
  readonly seed?: number;
  readonly episodes: number;
  readonly option?: readonly string[];
  readonly timePerMove: number;
  readonly timeBank: number;
  readonly onFault: "forfeit" | "random";
  readonly whileWaiting: "charge" | "freeze";
  readonly image?: string;
  readonly json?: true;
}

/** `seed`: what the option of that name does. */
export function addPlayOptions(command: Command, seed: string): Command {
  const play = command
    .option("--seed <n>", seed, integer(0, Number.MAX_SAFE_INTEGER))
    .option("--episodes <n>", "episodes in a match", integer(1, 100_000), 1)
    .option("--option <name=value>", "an option of the environment; may be repeated", repeated)
    .option("--time-per-move <seconds>", "time for each move", seconds(0.001, 86_400), 5)
    .option("--time-bank <seconds>", "time of each seat beyond that, for the whole match", seconds(0, 1_000_000), 0)
    .addOption(
      new Option("--on-fault <what>", "lose the match by a fault, or go on with a random legal move")
        .choices(["forfeit", "random"])
        .default("forfeit"),
    )
    .addOption(
      new Option("--while-waiting <what>", "charge a seat the CPU time it uses while others are to move, or freeze it")
        .choices(["charge", "freeze"])
        .default("charge"),
    );
  return addBoxOptions(play)
    .option(
      "--image <image>",
      "an OCI layout or archive (tier docker: an image of the engine) as the root of Python's sandboxes, not this host's /usr",
    )
    .option("--json", "print one JSON document");
}

/** `gpus`: whether it is about boxes that can be given some. */
export function addBoxOptions(command: Command, gpus = true): Command {
  const boxes = command
    .addOption(
      new Option(
        "--tier <tier>",
        "how strong the sandboxes' walls are; none means no sandbox at all (default: that of the runtime, or container)",
      ).choices(TIERS),
    )
    .addOption(
      new Option("--runtime <name>", "which runtime of the tier (default: its first)").choices(Object.keys(RUNTIMES)),
    )
    .option(
      "--give-up <limits>",
      "go on without these limits where this host cannot enforce them (cpus,pids,…)",
      listed,
    );
  if (!gpus) return boxes;
  return boxes.option(
    "--gpu <device>",
    "give every agent this device, by its CDI name such as nvidia.com/gpu=0; may be repeated",
    repeated,
  );
}

/** Throws UsageError. */
export function checkSeats({ id, views }: EpisodeSource, agents: number): void {
  const seats = views.length;
  if (agents !== seats)
    throw new UsageError(
      `${id} has ${plural(seats, "seat")}, but ${plural(agents, "agent was", "agents were")} given: give one for each seat`,
    );
}

export function arenaOptions({
  tier,
  runtime,
  giveUp,
  gpu,
  image,
}: BoxOptions & Pick<PlayOptions, "image">): ArenaOptions {
  return {
    tier: tier ?? (runtime === undefined ? "container" : RUNTIMES[runtime]),
    ...(image === undefined ? {} : { image }),
    ...(runtime === undefined ? {} : { runtime }),
    ...(gpu === undefined ? {} : { gpus: gpu }),
    // The sandbox itself refuses names it does not know, and says which there are.
    ...(giveUp === undefined ? {} : { giveUp: giveUp as readonly GiveUp[] }),
  };
}

export function matchOptions(
  options: PlayOptions,
): Required<Pick<MatchRequest, "episodes" | "moveSeconds" | "bankSeconds" | "onFault" | "whileWaiting">> &
  Pick<MatchRequest, "seed"> {
  const { seed, episodes, timePerMove, timeBank, onFault, whileWaiting } = options;
  return {
    episodes,
    moveSeconds: timePerMove,
    bankSeconds: timeBank,
    onFault,
    whileWaiting,
    ...(seed === undefined ? {} : { seed }),
  };
}
