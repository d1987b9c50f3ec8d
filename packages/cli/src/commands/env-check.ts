import { CHECKS, type CheckName, checkEnvironment, type Effort, type Finding } from "@lanista/games/conformance";
import type { EnvironmentDefinition } from "@lanista/games/environment";
import { findPython } from "@lanista/sandbox/interpreters";
import type { Context } from "../context.ts";
import { builtInOrFile, existingFile, parseOptions } from "../environments.ts";
import { EXIT } from "../exit-code.ts";
import { loadPythonEnvironment } from "../python/environment.ts";
import { note, type Paint, painter, printable, writeJson, writeLine } from "../terminal.ts";
import { plural } from "../units.ts";

export interface CheckOptions {
  readonly option?: readonly string[];
  readonly episodes?: number;
  readonly seed: number;
  readonly json?: true;
}

/** `name`: a built-in id, a module file, or a Python file. */
export async function envCheck(context: Context, name: string, options: CheckOptions): Promise<void> {
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
  else writeLine(terminal, findingsText(name, findings, painter(terminal, terminal.stdout)));
}

function findingsText(name: string, findings: readonly Finding[], paint: Paint): string {
  const checks = Object.keys(CHECKS) as CheckName[];
  const lines = checks.flatMap((check) => {
    const found = findings.find((finding) => finding.check === check);
    const line = `${found === undefined ? paint("green", "✓") : paint("red", "✗")} ${check.padEnd(14)} ${CHECKS[check]}`;
    return found === undefined
      ? [line]
      : [line, `      ${printable(found.detail)}`, `      ${paint("dim", found.where)}`];
  });
  const verdict =
    findings.length === 0
      ? paint("green", `${name} conforms.`)
      : paint(
          "red",
          `${name} does not conform: ${plural(findings.length, "check")} of ${checks.length} found something.`,
        );
  return [...lines, "", verdict].join("\n");
}
