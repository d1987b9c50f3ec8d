import {
  GetLeaderboardResponseSchema,
  Ladder_State,
  type LeaderboardRow,
} from "@lanista/api/gen/lanista/v1/ladders_pb";
import { Command } from "commander";
import type { Context } from "../context.ts";
import { integer } from "../option-values.ts";
import { addRemoteOptions, type RemoteOptions } from "../remote/options.ts";
import { print, rows } from "../remote/print.ts";
import { remote } from "../remote/remote.ts";
import { ladderState } from "../remote/words.ts";
import { plural } from "../units.ts";

interface BoardOptions extends RemoteOptions {
  readonly top: number;
}

export function leaderboardCommand(context: Context): Command {
  return addRemoteOptions(new Command("leaderboard"))
    .description("print a ladder's table")
    .argument("<ladder>", "SPACE/LADDER, or the ladder's id")
    .option("--top <n>", "so many rows", integer(1, 200), 50)
    .addHelpText(
      "after",
      "\nA public ladder's needs no login.\n\nExample:\n  $ lanista leaderboard winter/connect-four",
    )
    .action(async (ladder: string, options: BoardOptions) => {
      const client = await remote(context, options, "anonymous");
      const answer = await client.ladders.getLeaderboard({ ladder, page: { size: options.top } });
      print(context, options, GetLeaderboardResponseSchema, answer, () => {
        const about = answer.ladder!;
        const finals = about.state === Ladder_State.FINISHED;
        const title = `${about.title} (${about.rules?.env}), ${ladderState(about.state)}: ${plural(about.agents, "agent")}, ${plural(Number(about.matches), "match", "matches")}`;
        return `${title}\n\n${finals ? finalTable(answer.rows) : liveTable(answer.rows)}`;
      });
    });
}

function liveTable(board: readonly LeaderboardRow[]): string {
  return rows(
    ["rank>", "agent", "by", "v>", "rating>", "±>", "matches>", "won>", "drawn>", "lost>", "faults>"],
    board.map((row) => [
      String(row.rank),
      row.agentName + (row.provisional ? " (new)" : ""),
      row.ownerName,
      String(row.versionNumber),
      row.rating.toFixed(1),
      row.sigma.toFixed(1),
      String(row.matches),
      String(row.wins),
      String(row.draws),
      String(row.losses),
      String(row.faults),
    ]),
    "nobody is on it yet",
  );
}

function finalTable(board: readonly LeaderboardRow[]): string {
  return rows(
    ["rank>", "agent", "by", "Elo>", "95 %", "won>", "drawn>", "lost>"],
    board.map((row) => [
      String(row.rank),
      row.agentName,
      row.ownerName,
      row.finalElo.toFixed(0),
      `${row.finalLow.toFixed(0)} … ${row.finalHigh.toFixed(0)}`,
      String(row.wins),
      String(row.draws),
      String(row.losses),
    ]),
    "nobody is on it",
  );
}
