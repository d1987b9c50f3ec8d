import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join, relative, resolve } from "node:path";
import { randomSeed } from "@lanista/arena/seeds";
import { Command, Option } from "commander";
import type { Context } from "../context.ts";
import { TEMPLATES_DIR } from "../places.ts";
import { painter, writeJson, writeLine } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

type Kind = "agent" | "env" | "task";
type Language = "python" | "javascript" | "gymnasium";
const TASKS = ["environment", "judge", "supervised"] as const;
type TaskKind = (typeof TASKS)[number];

interface Starter {
  readonly kind: Kind;
  /** null: a task is a manifest, whose agents may be written in anything. */
  readonly language: Language | null;
  /** Of a task. */
  readonly taskKind?: TaskKind;
  /** What can be done with it next, as command lines; `path` is what was typed. */
  readonly next: (path: string) => readonly string[];
}

const playing = (path: string): string[] => [`lanista match connect-four ${path} ${path}`];
const STARTERS: readonly Starter[] = [
  { kind: "agent", language: "python", next: playing },
  { kind: "agent", language: "javascript", next: playing },
  { kind: "env", language: "python", next: (path) => [`lanista env check ${join(path, "environment.py")}`] },
  { kind: "env", language: "javascript", next: (path) => [`lanista env check ${join(path, "environment.mjs")}`] },
  {
    kind: "env",
    language: "gymnasium",
    next: (path) => [`lanista env check ${path}`, `lanista match ${path} my-agent.py`],
  },
  ...TASKS.map((taskKind): Starter => {
    const agent = taskKind === "environment" ? "opponent.py" : "reference.py";
    const next = (path: string) => [`lanista task check ${path}`, `lanista grade ${path} ${join(path, agent)}`];
    return { kind: "task", language: null, taskKind, next };
  }),
];

export function initCommand(context: Context): Command {
  const init = new Command("init").description("write a small working starter: an agent, an environment or a task");
  for (const [kind, what, languages, meaning] of [
    ["agent", "an agent that plays at random, to be made better", ["python", "javascript"], ""],
    [
      "env",
      "an environment (a small game of Nim), to be changed into yours",
      ["python", "javascript", "gymnasium"],
      "; gymnasium: a Python class of Gymnasium's, in a bundle that is played in a sandbox",
    ],
  ] as const)
    init
      .command(kind)
      .description(`write ${what}`)
      .argument("<name>", "the folder to make; its last part is the name")
      .addOption(
        new Option("--lang <language>", `what to write it in${meaning}`).choices(languages).makeOptionMandatory(),
      )
      .option("--json", "print one JSON document")
      .addHelpText("after", `\nExample:\n  $ lanista init ${kind} --lang python my-${kind}`)
      .action((path: string, options: { lang: Language; json?: true }) =>
        write(context, starter(kind, options.lang), path, options.json === true),
      );
  init
    .command("task")
    .description("write a task that agents are graded by, to be changed into yours")
    .argument("<name>", "the folder to make; its last part is the name")
    .addOption(
      new Option(
        "--kind <kind>",
        "environment: connect-four against a random player; judge: a program asks the agent; supervised: predictions on hidden data",
      )
        .choices(TASKS)
        .default("environment"),
    )
    .option("--json", "print one JSON document")
    .addHelpText("after", "\nExample:\n  $ lanista init task --kind supervised my-task")
    .action((path: string, options: { kind: TaskKind; json?: true }) =>
      write(context, starter("task", null, options.kind), path, options.json === true),
    );
  return init;
}

function starter(kind: Kind, language: Language | null, task?: TaskKind): Starter {
  return STARTERS.find((one) => one.kind === kind && one.language === language && one.taskKind === task)!;
}

/** An environment's id is in kebab-case, whatever its folder is called: MyGame and my_game become my-game. */
function kebab(name: string): string {
  const words = name.replace(/([a-z0-9])([A-Z])|([A-Z])(?=[A-Z][a-z])/g, "$1$3-$2").split(/[-_]+/);
  return words
    .filter((word) => word !== "")
    .join("-")
    .toLowerCase();
}

/** Paths of its files, those in its folders too. */
async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}

/** Throws UsageError where the folder exists and holds something: nothing is ever overwritten. */
async function write(context: Context, what: Starter, path: string, json: boolean): Promise<void> {
  const { terminal } = context;
  const { kind, language, taskKind } = what;
  const folder = resolve(path);
  const name = basename(folder);
  if (!/^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(name))
    throw new UsageError(`"${name}" cannot be the name: use a letter, then letters, digits, - and _ (64 at most)`);
  const made = await mkdir(folder, { recursive: true });
  if ((await readdir(folder)).length > 0)
    throw new UsageError(`${folder} is not empty: give the name of a folder that does not exist yet`);
  try {
    await cp(join(TEMPLATES_DIR, kind, language ?? taskKind ?? ""), folder, { recursive: true });
    for (const file of await filesIn(folder)) {
      const text = await readFile(join(folder, file), "utf8");
      await writeFile(
        join(folder, file),
        text.replaceAll("NAME", name).replaceAll("KEBAB", kebab(name)).replaceAll("SEED", String(randomSeed())),
      );
    }
  } catch (error) {
    if (made !== undefined) await rm(folder, { recursive: true, force: true });
    throw error;
  }
  const files = (await filesIn(folder)).sort();
  const next = what.next(path);
  if (json) return writeJson(terminal, { kind, language, folder, files, next });
  const paint = painter(terminal, terminal.stdout);
  writeLine(terminal, `Wrote ${paint("bold", folder)}: ${files.join(", ")}`);
  writeLine(terminal, `Try it:\n${next.map((line) => `  $ ${line}`).join("\n")}`);
}
