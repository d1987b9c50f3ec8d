/** Plants mistakes in environments' rules, to show that the checks would notice one made by accident. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { EnvironmentDefinition, Rules } from "../src/environment.ts";

export type Mistake<R extends Rules> = (right: R) => Partial<Omit<R, "turn">>;

/**
 * The same environment, but with some of its rules' methods replaced: `mistake` is given the right rules (to call) and
 * returns the wrong methods. Only for rules that do not call these methods of themselves.
 */
export function withMistake<R extends Rules>(
  definition: EnvironmentDefinition,
  mistake: Mistake<R>,
): EnvironmentDefinition {
  return {
    ...definition,
    make(options) {
      // Two instances, so that the wrong methods can call the right ones.
      return Object.assign(definition.make(options), mistake(definition.make(options) as R));
    },
  };
}

/**
 * The environment that `src/FILE` would define if `right` stood there as `wrong`. Throws an Error unless `right` stands
 * there exactly once, so that a mistake that has lost its place is noticed.
 */
export async function misprinted(file: string, right: string, wrong: string): Promise<EnvironmentDefinition> {
  const source = new URL(`../src/${file}`, import.meta.url);
  const text = readFileSync(source, "utf8");
  const pieces = text.split(right);
  if (pieces.length !== 2) throw new Error(`"${right}" stands ${pieces.length - 1} times in ${file}`);
  const folder = mkdtempSync(join(tmpdir(), "lanista-misprint-"));
  try {
    const copy = join(folder, file);
    const imports = /from "(\.[^"]+)"/g;
    writeFileSync(
      copy,
      pieces.join(wrong).replace(imports, (_, path) => `from "${fileURLToPath(new URL(path, source))}"`),
    );
    const module: { [name: string]: unknown } = await import(/* @vite-ignore */ pathToFileURL(copy).href);
    return Object.values(module).find(
      (value) => typeof (value as EnvironmentDefinition).make === "function",
    ) as EnvironmentDefinition;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
