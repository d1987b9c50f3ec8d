/** A ladder's rules on the command line: those of a new one, and what changes of another's. */
import { create } from "@bufbuild/protobuf";
import { SeatLimitsSchema } from "@lanista/api/gen/lanista/v1/common_pb";
import { type Ladder, type LadderRules, LadderSchema } from "@lanista/api/gen/lanista/v1/ladders_pb";
import type { Command } from "commander";
import type { Context } from "../context.ts";
import { integer, seconds, yesOrNo } from "../option-values.ts";
import type { RemoteOptions } from "../remote/options.ts";
import { print } from "../remote/print.ts";
import { remote } from "../remote/remote.ts";
import { ladderState } from "../remote/words.ts";
import { plural } from "../units.ts";
import { UsageError } from "../usage-error.ts";

export interface RuleOptions {
  readonly episodes?: number;
  readonly moveTime?: number;
  readonly queue?: string;
  readonly tier?: string;
  readonly parallel?: number;
  readonly daily?: number;
  readonly agents?: number;
}

export function addRuleOptions(command: Command): Command {
  return command
    .option("--episodes <n>", "episodes of a match", integer(1, 1000))
    .option("--move-time <seconds>", "for each move", seconds(0.001, 3600))
    .option("--queue <queue>", "where its matches wait")
    .option("--tier <tier>", "the sandboxes' tier: container, gvisor or docker")
    .option("--parallel <n>", "matches that may wait or run at once", integer(1, 1000))
    .option("--daily <n>", "rated matches of one agent in a day", integer(1, 100_000))
    .option("--agents <n>", "agents of one participant", integer(1, 100));
}

type Rules = Partial<Omit<LadderRules, "$typeName" | "$unknown">>;

/** Only what was given; the limits are those of `before` but for it. */
export function givenRules(options: RuleOptions, { limits = create(SeatLimitsSchema) }: Rules = {}): Rules {
  const { episodes, moveTime, queue, tier, parallel, daily, agents } = options;
  return {
    ...(episodes === undefined ? {} : { episodes }),
    ...(moveTime === undefined
      ? {}
      : { limits: create(SeatLimitsSchema, { ...limits, actMs: Math.round(moveTime * 1000) }) }),
    ...(queue === undefined ? {} : { queue }),
    ...(tier === undefined ? {} : { tier }),
    ...(parallel === undefined ? {} : { parallelMatches: parallel }),
    ...(daily === undefined ? {} : { dailyMatches: daily }),
    ...(agents === undefined ? {} : { agentsPerParticipant: agents }),
  };
}

interface SetOptions extends RemoteOptions, RuleOptions {
  readonly title?: string;
  readonly public?: boolean;
}

/** Adds to `command` what makes it `ladder set`. */
export function ladderSet(context: Context, command: Command): void {
  addRuleOptions(command.argument("<ladder>", "SPACE/LADDER, or its id"))
    .option("--title <title>", "what people read")
    .option("--public <yes|no>", "whether anybody may read its table", yesOrNo)
    .action((which: string, options: SetOptions) => setLadder(context, which, options));
}

async function setLadder(context: Context, which: string, options: SetOptions): Promise<void> {
  const { title, public: isPublic } = options;
  const client = await remote(context, options);
  const before = (await client.ladders.getLadder({ ladder: which })).ladder!;
  const given = givenRules(options, before.rules);
  const ruled = Object.keys(given).length > 0;
  if (!ruled && title === undefined && isPublic === undefined) throw new UsageError("say what to change: see --help");
  const { ladder } = await client.ladders.updateLadder({
    ladderId: before.id,
    ...(title === undefined ? {} : { title }),
    ...(isPublic === undefined ? {} : { public: isPublic }),
    ...(ruled ? { rules: { ...before.rules!, ...given } } : {}),
  });
  print(context, options, LadderSchema, ladder!, () => ladderLine(ladder!));
}

export function ladderLine(ladder: Ladder): string {
  return `${ladder.title} (${ladder.id}): ${ladderState(ladder.state)}, ${plural(ladder.agents, "agent")}`;
}
