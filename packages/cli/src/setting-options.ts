/** The server's settings as options of a command, and what was given as the sources of a configuration. */
import type { ConfigSources } from "@lanista/server/config/config";
import { namedSettings } from "@lanista/server/config/settings";
import { type Command, Option } from "commander";
import type { Context } from "./context.ts";

const attribute = (flag: string): string => new Option(flag).attributeName();

/** Adds `--config` and a flag for each setting; `only`: for these, by name (`dataDir`). */
export function addSettingOptions(command: Command, only?: readonly string[]): Command {
  command.option("--config <file>", "settings as YAML (default: lanista.yaml, if it is there; LANISTA_CONFIG)");
  for (const { key, setting, flag } of namedSettings())
    if (only?.includes(key) ?? true)
      command.option(`${flag} <${setting.placeholder}>`, `${setting.about} (${fallbackText(setting.fallback)})`);
  return command;
}

function fallbackText(value: unknown): string {
  const text = Array.isArray(value) ? value.join(",") : String(value);
  return text === "" ? "default: none" : `default: ${text}`;
}

/** `options`: what commander parsed for a command that has those flags. */
export function settingSources(context: Context, options: Readonly<Record<string, unknown>>): ConfigSources {
  const given = (flag: string): string | undefined => {
    const value = options[attribute(flag)];
    return typeof value === "string" ? value : undefined;
  };
  return {
    cwd: process.cwd(),
    env: context.terminal.environment,
    configFile: given("--config"),
    flags: Object.fromEntries(namedSettings().map(({ key, flag }) => [key, given(flag)])),
  };
}
