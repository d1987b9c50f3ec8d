import { create } from "@bufbuild/protobuf";
import {
  GetHeadToHeadResponseSchema,
  type Ladder,
  LadderSchema,
  ListLaddersResponseSchema,
  VerifyLadderResponseSchema,
} from "@lanista/api/gen/lanista/v1/ladders_pb";
import { Command } from "commander";
import { validate as isUuid } from "uuid";
import type { Context } from "../context.ts";
import { EXIT } from "../exit-code.ts";
import { integer, repeated } from "../option-values.ts";
import { addRemoteOptions, type RemoteOptions } from "../remote/options.ts";
import { print, rows } from "../remote/print.ts";
import { pages, remote } from "../remote/remote.ts";
import { ladderState } from "../remote/words.ts";
import { writeJson, writeLine } from "../terminal.ts";
import { plural } from "../units.ts";
import { UsageError } from "../usage-error.ts";
import { agentIdOf, ladderMatches } from "./ladder-matches.ts";
import { addRuleOptions, givenRules, ladderLine, ladderSet, type RuleOptions } from "./ladder-rules.ts";

interface CreateOptions extends RemoteOptions, RuleOptions {
  readonly space: string;
  readonly env: string;
  readonly title?: string;
  readonly option?: readonly string[];
  readonly public?: true;
}

export function ladderCommand(context: Context): Command {
  const ladder = new Command("ladder").description(
    "ladders: make one, list them and their matches, freeze one, hold its finals",
  );
  const sub = (name: string, description: string, example: string): Command =>
    addRemoteOptions(ladder.command(name))
      .description(description)
      .addHelpText("after", `\nExample:\n  $ lanista ladder ${example}`);

  const created = sub(
    "create",
    "make a ladder in a space you organise",
    "create connect-four --space winter --env connect-four --public",
  )
    .argument("<slug>", "its short name")
    .requiredOption("--space <space>", "the space")
    .requiredOption(
      "--env <env>",
      "the environment: see env list; or the id of one that was handed in, see env uploaded",
    )
    .option("--title <title>", "what people read (default: the short name)")
    .option("--option <name=value>", "an option of the environment; may be repeated", repeated);
  addRuleOptions(created)
    .option("--public", "anybody may read its table")
    .action((slug: string, options: CreateOptions) => createLadder(context, slug, options));

  sub("list", "list a space's ladders", "list --space winter")
    .requiredOption("--space <space>", "the space")
    .action(async (options: RemoteOptions & { space: string }) => {
      const client = await remote(context, options);
      const ladders: Ladder[] = [];
      for await (const answer of pages((page) => client.ladders.listLadders({ space: options.space, page })))
        ladders.push(...answer.ladders);
      print(context, options, ListLaddersResponseSchema, create(ListLaddersResponseSchema, { ladders }), () =>
        rows(
          ["ladder", "title", "env", "state", "agents>", "matches>", "id"],
          ladders.map((each) => [
            each.slug,
            each.title,
            each.rules?.env ?? "",
            ladderState(each.state),
            String(each.agents),
            String(each.matches),
            each.id,
          ]),
          "no ladders",
        ),
      );
    });

  ladderSet(context, sub("set", "change a ladder's title or rules", "set winter/hex --parallel 8 --public no"));

  for (const [name, frozen] of [
    ["freeze", true],
    ["unfreeze", false],
  ] as const)
    sub(
      name,
      frozen ? "take no versions and play no rated matches" : "open a frozen ladder again",
      `${name} winter/hex`,
    )
      .argument("<ladder>", "SPACE/LADDER, or its id")
      .action(async (which: string, options: RemoteOptions) => {
        const client = await remote(context, options);
        const ladderId = (await client.ladders.getLadder({ ladder: which })).ladder!.id;
        const answer = await client.ladders.freezeLadder({ ladderId, frozen });
        print(context, options, LadderSchema, answer.ladder!, () => ladderLine(answer.ladder!));
      });

  sub("finals", "freeze the ladder and play everybody against everybody", "finals winter/hex --rounds 10")
    .argument("<ladder>", "SPACE/LADDER, or its id")
    .option("--rounds <n>", "how often every pairing meets in every seating", integer(1, 100), 5)
    .option("--top <n>", "only the first so many of the table", integer(2, 10_000))
    .action(async (which: string, options: RemoteOptions & { rounds: number; top?: number }) => {
      const client = await remote(context, options);
      const ladderId = (await client.ladders.getLadder({ ladder: which })).ladder!.id;
      const answer = await client.ladders.startFinals({ ladderId, rounds: options.rounds, top: options.top ?? 0 });
      if (options.json) writeJson(context.terminal, { ladder: ladderId, matches: answer.matches });
      else writeLine(context.terminal, `The finals have begun: ${plural(answer.matches, "match", "matches")}.`);
    });

  sub("verify", "recompute every rating from the log of matches and compare", "verify winter/hex")
    .argument("<ladder>", "SPACE/LADDER, or its id")
    .action(async (which: string, options: RemoteOptions) => {
      const client = await remote(context, options);
      const ladderId = (await client.ladders.getLadder({ ladder: which })).ladder!.id;
      const answer = await client.ladders.verifyLadder({ ladderId });
      if (!answer.equal) context.exit(EXIT.found);
      print(context, options, VerifyLadderResponseSchema, answer, () =>
        answer.equal
          ? `${plural(Number(answer.matches), "match", "matches")} of the log give the ratings of ${plural(answer.agents, "agent")} as they stand.`
          : ["The log does not give what stands on the board:", ...answer.differences].join("\n"),
      );
    });

  ladderMatches(context, sub("matches", "list its matches, with their ids", "matches winter/hex --agent search"));

  sub("head-to-head", "who beat whom how often", "head-to-head winter/hex")
    .argument("<ladder>", "SPACE/LADDER, or its id")
    .action(async (which: string, options: RemoteOptions) => {
      const client = await remote(context, options);
      const ladderId = (await client.ladders.getLadder({ ladder: which })).ladder!.id;
      const answer = await client.ladders.getHeadToHead({ ladderId });
      print(context, options, GetHeadToHeadResponseSchema, answer, () =>
        rows(
          ["agent", "against", "won>", "drawn>", "lost>"],
          answer.pairs.map((pair) => [
            pair.agentName,
            pair.opponentName,
            String(pair.wins),
            String(pair.draws),
            String(pair.losses),
          ]),
          "no rated matches yet",
        ),
      );
    });

  sub("withdraw", "take an agent of yours off the ladder", "withdraw winter/hex search")
    .argument("<ladder>", "SPACE/LADDER, or its id")
    .argument("<agent>", "its name on the ladder, or its id")
    .action(async (which: string, agent: string, options: RemoteOptions) => {
      const client = await remote(context, options);
      const ladderId = (await client.ladders.getLadder({ ladder: which })).ladder!.id;
      const agentId = await agentIdOf(client, ladderId, agent);
      await client.ladders.withdraw({ ladderId, agentId });
      if (options.json) writeJson(context.terminal, { ladder: ladderId, agent: agentId, withdrawn: true });
      else writeLine(context.terminal, "Withdrawn. Its matches stay in the log.");
    });

  return ladder;
}

async function createLadder(context: Context, slug: string, options: CreateOptions): Promise<void> {
  const client = await remote(context, options);
  const { ladder } = await client.ladders.createLadder({
    space: options.space,
    slug,
    title: options.title ?? slug,
    public: options.public === true,
    rules: { ...environmentOf(options.env), optionsJson: optionsJson(options.option ?? []), ...givenRules(options) },
  });
  print(context, options, LadderSchema, ladder!, () => ladderLine(ladder!));
}

const environmentOf = (env: string) => (isUuid(env) ? { environmentId: env } : { env });

/** `size=5` gives a number, `torus=true` a truth value, anything else a text; the server checks them. */
function optionsJson(given: readonly string[]): string {
  const values = given.map((each) => {
    const at = each.indexOf("=");
    if (at <= 0) throw new UsageError(`--option takes name=value, not "${each}"`);
    const text = each.slice(at + 1);
    const value =
      text === "true"
        ? true
        : text === "false"
          ? false
          : text !== "" && Number.isFinite(Number(text))
            ? Number(text)
            : text;
    return [each.slice(0, at), value] as const;
  });
  return JSON.stringify(Object.fromEntries(values));
}
