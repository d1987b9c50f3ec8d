import type { ShownSetting } from "@lanista/server/config/print";
import { Command } from "commander";
import type { Context } from "../context.ts";
import { addSettingOptions, settingSources } from "../setting-options.ts";
import { table } from "../table.ts";
import { printable, writeJson, writeLine } from "../terminal.ts";

export function configCommand(context: Context): Command {
  const config = new Command("config").description("the server's settings");
  addSettingOptions(
    config.command("print").description("print every setting, its value, and where that comes from").usage("[options]"),
  )
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      `
What a setting is comes from the first of these that names it: a flag, the environment (LANISTA_HTTP_PORT for
http.port), .env, the file, the default. Passwords are masked.

Example:
  $ lanista config print --http-port 8000`,
    )
    .action((options: Readonly<Record<string, unknown>>) => print(context, options));
  return config;
}

async function print(context: Context, options: Readonly<Record<string, unknown>>): Promise<void> {
  const [{ loadConfig }, { shownSettings }] = await Promise.all([
    import("@lanista/server/config/config"),
    import("@lanista/server/config/print"),
  ]);
  const shown = shownSettings(loadConfig(settingSources(context, options)));
  if (options.json === true) writeJson(context.terminal, shown);
  else writeLine(context.terminal, settingsTable(shown));
}

function settingsTable(shown: readonly ShownSetting[]): string {
  return table(
    [{ title: "setting" }, { title: "value" }, { title: "from" }],
    shown.map(({ key, value, place }) => [key, valueText(value), place || "default"]),
  );
}

function valueText(value: unknown): string {
  const text = Array.isArray(value) ? value.join(", ") : String(value);
  return text === "" ? "–" : printable(text);
}
