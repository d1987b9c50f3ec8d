/** Finds the environment a command line names: a built-in id, or a module file of the user's own. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type Environment, type EnvironmentDefinition, makeEnvironment } from "@lanista/games/environment";
import { parseOption } from "@lanista/games/options";
import { environments } from "@lanista/games/registry";
import { closest } from "./closest.ts";
import { UsageError } from "./usage-error.ts";

/** Throws UsageError, with the nearest id there is, or with what can be done with a file of one's own. */
export function builtIn(id: string): EnvironmentDefinition {
  const definition = environments.get(id);
  if (definition !== undefined) return definition;
  if (looksLikeFile(id))
    throw new UsageError(
      `${id} is not built in. Played are environments of a bundle, a folder or a .zip with environment.yaml in it; a single file can be checked (lanista env check ${id}). Those built in: lanista env list`,
    );
  const near = closest(id, [...environments.keys()]);
  throw new UsageError(
    `there is no environment "${id}"${near === undefined ? "." : `; did you mean ${near}?`} See them all: lanista env list`,
  );
}

/** As `builtIn`; what looks like a file is loaded as a module whose default export is the definition. */
export async function builtInOrFile(name: string): Promise<EnvironmentDefinition> {
  if (environments.has(name) || !looksLikeFile(name)) return builtIn(name);
  const path = existingFile(name);
  let loaded: { readonly default?: unknown };
  try {
    loaded = await import(pathToFileURL(path).href);
  } catch (error) {
    throw new UsageError(
      `${path} could not be loaded: ${error instanceof Error ? (error.stack ?? error.message) : error}`,
    );
  }
  return asDefinition(loaded.default, path);
}

function looksLikeFile(name: string): boolean {
  return /[/\\]|\.([cm]?[jt]s|py)$/.test(name) || existsSync(name);
}

/** The file's whole path. Throws UsageError if there is none. */
export function existingFile(name: string): string {
  const path = resolve(name);
  if (!existsSync(path)) throw new UsageError(`there is no file ${path}`);
  return path;
}

function asDefinition(value: unknown, path: string): EnvironmentDefinition {
  const wanted = `its default export must be an EnvironmentDefinition`;
  if (typeof value !== "object" || value === null) throw new UsageError(`${path}: ${wanted}, not ${typeof value}`);
  const given = value as Record<string, unknown>;
  const types: readonly (readonly [string, string])[] = [
    ["id", "string"],
    ["version", "number"],
    ["title", "string"],
    ["description", "string"],
    ["options", "object"],
    ["make", "function"],
  ];
  for (const [key, type] of types)
    if (typeof given[key] !== type || given[key] === null)
      throw new UsageError(`${path}: ${wanted}; "${key}" must be a ${type}, not ${typeof given[key]}`);
  return value as EnvironmentDefinition;
}

/** The options as given with --option, typed by the environment's schema. Throws OptionError; twice the same name is refused. */
export function parseOptions(
  definition: Pick<EnvironmentDefinition, "options">,
  given: readonly string[],
): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const text of given) {
    const [name, value] = parseOption(definition.options, text);
    if (Object.hasOwn(options, name)) throw new UsageError(`--option ${name} is given twice`);
    options[name] = value;
  }
  return options;
}

export function fixed(definition: EnvironmentDefinition, given: readonly string[]): Environment {
  return makeEnvironment(definition, parseOptions(definition, given));
}
