import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { Command, Option } from "commander";
import type { Context } from "../context.ts";
import { TEMPLATES_DIR } from "../places.ts";
import { painter, writeJson, writeLine } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

type Kind = "agent" | "env";
type Language = "python" | "javascript";

/** What can be done with the starter next, as command lines; `path` is what was typed. */
const NEXT: Readonly<Record<Kind, Readonly<Record<Language, (path: string) => readonly string[]>>>> = {
  agent: {
    python: (path) => [`lanista match connect-four ${path} ${path}`],
    javascript: (path) => [`lanista match connect-four ${path} ${path}`],
  },
  env: {
    python: (path) => [`lanista env check ${join(path, "environment.py")}`],
    javascript: (path) => [`lanista env check ${join(path, "environment.mjs")}`],
  },
};

export function initCommand(context: Context): Command {
  const init = new Command("init").description("write a small working starter: an agent or an environment");
  for (const [kind, what] of [
    ["agent", "an agent that plays at random, to be made better"],
    ["env", "an environment (a small game of Nim), to be changed into yours"],
  ] as const)
    init
      .command(kind)
      .description(`write ${what}`)
      .argument("<name>", "the folder to make; its last part is the name")
      .addOption(
        new Option("--lang <language>", "what to write it in").choices(["python", "javascript"]).makeOptionMandatory(),
      )
      .option("--json", "print one JSON document")
      .addHelpText("after", `\nExample:\n  $ lanista init ${kind} --lang python my-${kind}`)
      .action((path: string, options: { lang: Language; json?: true }) =>
        write(context, kind, options.lang, path, options.json === true),
      );
  return init;
}

/** An environment's id is in kebab-case, whatever its folder is called: MyGame and my_game become my-game. */
function kebab(name: string): string {
  const words = name.replace(/([a-z0-9])([A-Z])|([A-Z])(?=[A-Z][a-z])/g, "$1$3-$2").split(/[-_]+/);
  return words
    .filter((word) => word !== "")
    .join("-")
    .toLowerCase();
}

/** Throws UsageError where the folder exists and holds something: nothing is ever overwritten. */
async function write(context: Context, kind: Kind, language: Language, path: string, json: boolean): Promise<void> {
  const { terminal } = context;
  const folder = resolve(path);
  const name = basename(folder);
  if (!/^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(name))
    throw new UsageError(`"${name}" cannot be the name: use a letter, then letters, digits, - and _ (64 at most)`);
  const made = await mkdir(folder, { recursive: true });
  if ((await readdir(folder)).length > 0)
    throw new UsageError(`${folder} is not empty: give the name of a folder that does not exist yet`);
  try {
    await cp(join(TEMPLATES_DIR, kind, language), folder, { recursive: true });
    for (const file of await readdir(folder)) {
      const text = await readFile(join(folder, file), "utf8");
      await writeFile(join(folder, file), text.replaceAll("NAME", name).replaceAll("KEBAB", kebab(name)));
    }
  } catch (error) {
    if (made !== undefined) await rm(folder, { recursive: true, force: true });
    throw error;
  }
  const files = (await readdir(folder)).sort();
  const next = NEXT[kind][language](path);
  if (json) return writeJson(terminal, { kind, language, folder, files, next });
  const paint = painter(terminal, terminal.stdout);
  writeLine(terminal, `Wrote ${paint("bold", folder)}: ${files.join(", ")}`);
  writeLine(terminal, `Try it:\n${next.map((line) => `  $ ${line}`).join("\n")}`);
}
