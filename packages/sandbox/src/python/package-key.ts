/** The name of a set of packages: a digest of everything that decides what is in it. */
import { createHash } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { type IndexSettings, shownUrl } from "./index-settings.ts";
import type { PythonFacts } from "./python-facts.ts";
import type { Requirements } from "./requirements.ts";

/** Of how sets are built and laid out: raised with each change that makes an older one wrong. */
const FORMAT = 1;

export interface KeyInput {
  readonly requirements: Requirements;
  readonly constraints: readonly string[];
  readonly buildConstraints: readonly string[];
  readonly python: PythonFacts;
  /** The interpreter's path inside boxes: links lead to it. */
  readonly interpreter: string;
  readonly uv: string;
  readonly settings: IndexSettings;
}

/** Which packages a folder offers: names, sizes and times of what is in it. */
function folderState(folder: string): string[] {
  return readdirSync(folder)
    .sort()
    .map((name) => {
      const found = statSync(join(folder, name), { throwIfNoEntry: false });
      return `${name} ${found?.size} ${found?.mtimeMs}`;
    });
}

export function packageKey(input: KeyInput): string {
  const { settings } = input;
  const parts = [
    FORMAT,
    input.requirements.lines,
    input.requirements.flags,
    input.constraints,
    input.buildConstraints,
    Object.entries(input.python).sort(([a], [b]) => (a < b ? -1 : 1)),
    input.interpreter,
    input.uv,
    settings.indexes.map(shownUrl),
    settings.strategy,
    settings.folders.map(folderState),
  ];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}
