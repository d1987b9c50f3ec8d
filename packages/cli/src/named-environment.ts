/** What stands for an environment on a command line: an id, or a bundle, which is a folder or a .zip. */
import { existsSync, statSync } from "node:fs";
import { sourceOf } from "@lanista/arena/episodes/built-in";
import type { EpisodeSource } from "@lanista/arena/episodes/episodes";
import { environments } from "@lanista/games/registry";
import { builtIn, fixed } from "./environments.ts";

/** Whether it names a bundle: a .zip, or a folder that is there. A built-in environment's id comes first. */
export function namesBundle(name: string): boolean {
  if (environments.has(name)) return false;
  return /\.zip$/i.test(name) || (existsSync(name) && statSync(name).isDirectory());
}

/** The built-in environment that is named; undefined where a bundle is. Throws UsageError and OptionError. */
export function namedBuiltIn(name: string, given: readonly string[]): EpisodeSource | undefined {
  return namesBundle(name) ? undefined : sourceOf(fixed(builtIn(name), given));
}
