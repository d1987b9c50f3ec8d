/** `lanista import`: what other systems hold, brought over into a course. */
import { Command } from "commander";
import type { Context } from "../../context.ts";
import { integer, number, seconds } from "../../option-values.ts";
import { addRemoteOptions } from "../../remote/options.ts";
import { type AivleOptions, importAivle } from "./aivle.ts";

export function importCommand(context: Context): Command {
  const group = new Command("import").description("bring a course over from another system");
  addRemoteOptions(group.command("aivle"))
    .description("bring people, tasks, submissions and results over from aiVLE's site or from CSV files")
    .argument("[course]", "the course of ours that it becomes; made if there is none. Without: lists the site's")
    .option("--site <url>", "the site's API, as https://aivle.example.org/api/v1")
    .option("--from <id>", "the course's id there", integer(0, Number.MAX_SAFE_INTEGER))
    .option("--site-token-file <file>", "holds the site's token (default: AIVLE_TOKEN, or what AIVLE_TOKEN_FILE holds)")
    .option(
      "--people <file>",
      "CSV that says the addresses, which the site's API does not: id or username, email, name",
    )
    .option("--csv <folder>", "instead of a site: people.csv, tasks.csv, submissions.csv and the files they name")
    .option("--source <name>", "what the source is called in keys here (default: the site's host, or csv)")
    .option("--points <n>", "what full marks of its tasks are (default: 100, or what the best has)", number(1_000_000))
    .option("--queue <queue>", "where gradings wait here (default: the queue of the same name)")
    .option("--open", "open the tasks that the site shows, once their graders are in use")
    .option("--no-wait", "do not wait until a worker has checked the graders; import again to use them")
    .option("--codes <file>", "append the new invitations' codes to this file, for whoever gets no mail")
    .option("--patience <seconds>", "how long a site that ails is waited for, each time", seconds(0, 86_400), 120)
    .option("--dry-run", "say what would come over, and change nothing")
    .addHelpText(
      "after",
      `
Run it again whenever it was cut off, or something has changed there: nothing comes twice. Ends with 1 if something could not be
brought over; that is listed, with why. See docs/import-aivle.md for the files' columns.

Examples:
  $ AIVLE_TOKEN=… lanista import aivle --site https://aivle.example.org/api/v1
  $ lanista import aivle cs1 --site https://aivle.example.org/api/v1 --from 5 --people people.csv --dry-run
  $ lanista import aivle cs1 --csv exported`,
    )
    .action((course: string | undefined, options: AivleOptions) => importAivle(context, course, options));
  return group;
}
