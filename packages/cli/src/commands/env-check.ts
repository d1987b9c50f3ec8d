import { CHECKS, checkEnvironment, type Effort } from "@lanista/games/conformance";
import type { EnvironmentDefinition } from "@lanista/games/environment";
import { findPython } from "@lanista/sandbox/interpreters";
import type { Context } from "../context.ts";
import { builtInOrFile, existingFile, parseOptions } from "../environments.ts";
import { EXIT } from "../exit-code.ts";
import { findingsText } from "../findings-text.ts";
import { namesBundle } from "../named-environment.ts";
import type { BoxOptions } from "../play-options.ts";
import { loadPythonEnvironment } from "../python/environment.ts";
import { note, painter, writeJson, writeLine } from "../terminal.ts";

export interface CheckOptions extends BoxOptions {
  readonly option?: readonly string[];
  readonly episodes?: number;
  readonly seed: number;
  readonly json?: true;
}

/** `name`: a built-in id, a bundle, a module file, or a Python file. */
export async function envCheck(context: Context, name: string, options: CheckOptions): Promise<void> {
  if (namesBundle(name)) {
    const { checkBundle } = await import("./env-check-bundle.ts");
    await checkBundle(context, name, options);
    return;
  }
  // The kit, and the user's own code in it, run to their end without a pause: an endless loop can only be ended from outside.
  context.endBySignal();
  if (!name.endsWith(".py")) {
    check(context, name, await builtInOrFile(name), options);
    return;
  }
  const path = existingFile(name);
  const python = await loadPythonEnvironment(path, (await findPython()).path);
  try {
    check(context, name, python.definition, options);
  } finally {
    await python.close();
  }
}

function check(context: Context, name: string, definition: EnvironmentDefinition, options: CheckOptions): void {
  const { terminal } = context;
  // Without a pause there is no progress to show, only that it began.
  if (terminal.stderr.isTTY === true && !options.json) note(terminal, `Checking ${name}…`);
  const effort: Partial<Effort> = {
    seed: options.seed,
    ...(options.episodes === undefined ? {} : { episodes: options.episodes }),
  };
  const given = options.option === undefined ? undefined : parseOptions(definition, options.option);
  const findings = checkEnvironment(definition, given, effort);
  if (findings.length > 0) context.exit(EXIT.found);
  const { id, version } = definition;
  if (options.json) writeJson(terminal, { env: id, version, ok: findings.length === 0, checks: CHECKS, findings });
  else writeLine(terminal, findingsText(name, findings, painter(terminal, terminal.stdout), CHECKS));
}
