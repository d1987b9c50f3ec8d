import { Command } from "commander";
import type { Context } from "../context.ts";
import { addBoxOptions } from "../play-options.ts";
import { addRemoteOptions, type RemoteOptions } from "../remote/options.ts";
import { replayExport } from "./replay-export.ts";
import { replayFetch } from "./replay-fetch.ts";
import { replayShow } from "./replay-show.ts";
import { replayVerify, type VerifyOptions } from "./replay-verify.ts";

export function replayCommand(context: Context): Command {
  const replay = new Command("replay").description(
    "replays: show one, verify one, export one as a page, fetch one from a server",
  );

  replay
    .command("show")
    .description("print what a replay says: who played, every position or the last, the outcome")
    .argument("<file>", "a replay, as match --replay writes it")
    .option("--all", "print every position, not the last alone")
    .option("--json", "print one JSON document: the replay itself")
    .addHelpText("after", "\nExample:\n  $ lanista replay show game.jsonl")
    .action((file: string, options: { all?: true; json?: true }) => replayShow(context, file, options));

  addBoxOptions(replay.command("verify"))
    .description("run the match again by the rules and compare; name the first difference")
    .argument("<file>", "a replay")
    .option(
      "--env-bundle <path>",
      "the bundle of the environment, where that is not a built-in one; it runs in a sandbox",
    )
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      "\nEnds with 0 if all agrees, 1 at a difference, 2 if the file is no whole replay.\n\nExample:\n  $ lanista replay verify game.jsonl",
    )
    .action((file: string, options: VerifyOptions) => replayVerify(context, file, options));

  replay
    .command("export")
    .description("make one self-contained HTML page: the board, a slider, thinking times")
    .argument("<file>", "a replay")
    .option("--output <file>", "where to (default: beside the replay, with .html)")
    .option("--json", "print one JSON document")
    .addHelpText("after", "\nExample:\n  $ lanista replay export game.jsonl --output game.html")
    .action((file: string, options: { output?: string; json?: true }) => replayExport(context, file, options));

  addRemoteOptions(replay.command("fetch"))
    .description("fetch the replay of a match that was played at a server")
    .argument("<match>", "the match's id, see ladder matches")
    .option("--output <file>", "where to (default: MATCH.jsonl; gzipped if the name ends in .gz)")
    .addHelpText("after", "\nExample:\n  $ lanista replay fetch 0195… --output game.jsonl")
    .action((match: string, options: RemoteOptions & { output?: string }) => replayFetch(context, match, options));

  return replay;
}
