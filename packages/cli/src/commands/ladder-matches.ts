import { create } from "@bufbuild/protobuf";
import type { LanistaClient } from "@lanista/api/client";
import { ListMatchesResponseSchema, type Match, type MatchSeat } from "@lanista/api/gen/lanista/v1/matches_pb";
import type { Command } from "commander";
import { validate as isUuid } from "uuid";
import type { Context } from "../context.ts";
import { integer } from "../option-values.ts";
import type { RemoteOptions } from "../remote/options.ts";
import { print, rows } from "../remote/print.ts";
import { firstOf, pages, remote } from "../remote/remote.ts";
import { matchText, timeText } from "../remote/words.ts";
import { note } from "../terminal.ts";
import { scoreText } from "../units.ts";
import { UsageError } from "../usage-error.ts";

interface MatchesOptions extends RemoteOptions {
  readonly agent?: string;
  readonly limit: number;
}

/** Adds to `command` what makes it `ladder matches`. */
export function ladderMatches(context: Context, command: Command): void {
  command
    .argument("<ladder>", "SPACE/LADDER, or its id")
    .option("--agent <agent>", "only this agent's: its name on the ladder, or its id")
    .option("--limit <n>", "so many, newest first", integer(1, 100_000), 50)
    .action((which: string, options: MatchesOptions) => listMatches(context, which, options));
}

async function listMatches(context: Context, which: string, options: MatchesOptions): Promise<void> {
  const client = await remote(context, options);
  const ladder = (await client.ladders.getLadder({ ladder: which })).ladder!;
  const agentId = options.agent === undefined ? "" : await agentIdOf(client, ladder.id, options.agent);
  const { items: matches, nextPageToken } = await firstOf(
    options.limit,
    (page) => client.matches.listMatches({ space: ladder.spaceId, ladderId: ladder.id, agentId, page }),
    (answer) => answer.matches,
  );
  const all = create(ListMatchesResponseSchema, { matches, nextPageToken });
  print(context, options, ListMatchesResponseSchema, all, () =>
    rows(["match", "since", "why", "agents", "state"], matches.map(cells), "no matches"),
  );
  if (nextPageToken !== "") note(context.terminal, "There are more: --limit.");
}

/** By its name on the ladder's board, as far as the caller may read that, or the id itself. Throws UsageError where there is none. */
export async function agentIdOf(client: LanistaClient, ladder: string, given: string): Promise<string> {
  if (isUuid(given)) return given;
  for await (const { rows: board } of pages((page) => client.ladders.getLeaderboard({ ladder, page }))) {
    const found = board.find(({ agentName }) => agentName === given);
    if (found !== undefined) return found.agentId;
  }
  throw new UsageError(`no agent "${given}" is on the ladder, as far as you may see it`);
}

function cells(match: Match): string[] {
  return [match.id, timeText(match.createdAt), match.reason, match.seats.map(seatText).join(", "), matchText(match)];
}

function seatText({ agentName, versionNumber, score, fault }: MatchSeat): string {
  const name = `${agentName} v${versionNumber}`;
  return `${score === undefined ? name : `${name} ${scoreText(score)}`}${fault === "" ? "" : ` (${fault})`}`;
}
