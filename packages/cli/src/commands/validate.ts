import { join } from "node:path";
import { DEFAULT_POLICY_DOCUMENT } from "@lanista/arena/validation/policy";
import type { ValidationReport } from "@lanista/arena/validation/report";
import { validateAgent } from "@lanista/arena/validation/validate";
import { SandboxError } from "@lanista/sandbox/errors";
import { SandboxHost } from "@lanista/sandbox/host";
import { findNode, findPython, type Interpreter } from "@lanista/sandbox/interpreters";
import { Command } from "commander";
import { closing } from "../closing.ts";
import type { Context } from "../context.ts";
import { builtIn, fixed } from "../environments.ts";
import { EXIT } from "../exit-code.ts";
import { repeated, seconds } from "../option-values.ts";
import { unclosedText } from "../outcome-text.ts";
import { GUEST_DIR } from "../places.ts";
import { addBoxOptions, arenaOptions, type BoxOptions } from "../play-options.ts";
import { readPolicy } from "../policy-file.ts";
import { startProgress } from "../progress.ts";
import { painter, writeJson, writeLine } from "../terminal.ts";
import { ADVICE, validationText } from "../validation-text.ts";

interface ValidateOptions extends BoxOptions {
  readonly env: string;
  readonly option?: readonly string[];
  readonly policy?: string;
  readonly startTime: number;
  readonly timePerMove: number;
  readonly json?: true;
}

/** As YAML, of which JSON is a part. */
const POLICY = Object.entries(DEFAULT_POLICY_DOCUMENT)
  .map(([key, value]) => `  ${key}: ${JSON.stringify(value)}`)
  .join("\n");

export function validateCommand(context: Context): Command {
  const command = new Command("validate")
    .description("look an agent through before it is handed in: files, syntax, imports, requirements, one move")
    .argument("<agent>", "a file, a folder or a .zip")
    .requiredOption("--env <env>", "the environment it is for, see env list")
    .option("--option <name=value>", "an option of the environment; may be repeated", repeated)
    .option("--policy <file>", "what is asked of the files, as YAML (default: see below)")
    .option("--start-time <seconds>", "time to get ready", seconds(0.001, 3600), 30)
    .option("--time-per-move <seconds>", "time for the one move", seconds(0.001, 3600), 5);
  return addBoxOptions(command)
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      `
The files are looked through in one sandbox and the agent is tried in another. Ends with 1 if it is not valid.
${ADVICE}

The default policy, as a file would say it:
${POLICY}

Example:
  $ lanista validate my-agent.py --env connect-four`,
    )
    .action((path: string, options: ValidateOptions) => validate(context, path, options));
}

async function validate(context: Context, path: string, options: ValidateOptions): Promise<void> {
  const { terminal, signal } = context;
  const env = fixed(builtIn(options.env), options.option ?? []);
  const policy = await readPolicy(options.policy);
  const python = await pythonIfAny();
  const progress = startProgress(terminal, "Looking it through…");
  let report: ValidationReport;
  try {
    report = await closing(
      await SandboxHost.open(),
      (host) =>
        validateAgent({
          path,
          env,
          policy,
          host,
          boxes: {
            ...arenaOptions(options),
            interpreters: { javascript: findNode(), ...(python === undefined ? {} : { python }) },
            guestDir: GUEST_DIR,
          },
          workDir: join(host.workDir, "agents"),
          startSeconds: options.startTime,
          moveSeconds: options.timePerMove,
          signal,
        }),
      (error) => progress.note(unclosedText(error)),
    );
  } finally {
    progress.end();
  }
  if (!report.valid) context.exit(EXIT.found);
  if (options.json) writeJson(terminal, report);
  else writeLine(terminal, validationText(path, report, painter(terminal, terminal.stdout)));
}

/** Which language the agent is in is not known yet, and where there is no Python an agent in another will do. */
async function pythonIfAny(): Promise<Interpreter | undefined> {
  try {
    return await findPython();
  } catch (error) {
    if (error instanceof SandboxError && error.code === "refused") return undefined;
    throw error;
  }
}
