import { Command } from "commander";
import type { Context } from "../context.ts";
import { repeated } from "../numbers.ts";
import { envList } from "./env-list.ts";
import { envShow } from "./env-show.ts";

export function envCommand(context: Context): Command {
  const env = new Command("env").description("environments: list them, describe one, check one");

  env
    .command("list")
    .description("list the built-in environments")
    .option("--json", "print one JSON document")
    .addHelpText("after", "\nExample:\n  $ lanista env list")
    .action((options: { json?: true }) => envList(context, options.json === true));

  env
    .command("show")
    .description("describe an environment: its rules, options, spaces and first position")
    .argument("<env>", "an id, see env list")
    .option("--option <name=value>", "an option of the environment; may be repeated", repeated)
    .option("--json", "print one JSON document")
    .addHelpText("after", "\nExample:\n  $ lanista env show hex --option size=5")
    .action((id: string, options: { option?: readonly string[]; json?: true }) =>
      envShow(context, id, options.option ?? [], options.json === true),
    );

  return env;
}
