/**
 * Cheats of ours, which a task is graded by before it opens: they print forged verdicts, claim their value in an answer, give back
 * the question, constants, extremes, what they find in files; or crash, leave, hang. Whichever scores tells how students could.
 *
 * A match by an environment's rules has no such door: there a task's own cheat has to do.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { prepareAgent } from "../../agents/prepare.ts";
import type { PreparedAgent } from "../../agents/types.ts";
import { ASKED } from "../supervised/metrics.ts";
import type { PreparedTask } from "../task.ts";

export interface StandardCheat {
  readonly way: string;
  /** For people: an agent that … */
  readonly does: string;
  /** One case tells all, and more would take time. */
  readonly once: boolean;
}

const CONSTANTS = [
  ["zero", "always answers 0"],
  ["one", "always answers 1"],
  ["minus_one", "always answers -1"],
  ["half", "always answers 0.5"],
  ["hundred", "always answers 100"],
  ["true", "always answers true"],
  ["false", "always answers false"],
  ["none", "always answers nothing"],
  ["yes", 'always answers "yes"'],
  ["text", 'always answers "A"'],
  ["empty_text", "always answers an empty text"],
  ["empty_list", "always answers an empty list"],
  ["empty_dictionary", "always answers an empty dictionary"],
  ["largest", "always answers the largest number"],
  ["least", "always answers the least number"],
  ["integer", "always answers 2^53"],
  ["huge_text", "always answers a text of a million characters"],
  ["huge_list", "always answers a list of a hundred thousand numbers"],
  ["nested", "always answers nested lists"],
  ["prototype", "answers with keys that name prototypes"],
  ["nan_text", 'always answers "NaN"'],
  ["claim", "answers with a verdict of its own: full marks"],
  ["claim_text", "answers with the text of such a verdict"],
] as const;

const WAYS: readonly StandardCheat[] = [
  { way: "forge", does: "prints forged verdicts to every output and answers with one", once: false },
  { way: "raw", does: "writes a verdict into every channel of its box that is open", once: true },
  { way: "echo", does: "gives back the question", once: false },
  { way: "echo_text", does: "gives back the question as text", once: false },
  { way: "read", does: "reads every file it can and answers with what it finds there", once: false },
  { way: "crash", does: "crashes when it is asked", once: true },
  { way: "leave", does: "ends when it is asked", once: true },
  { way: "hang", does: "never answers", once: true },
];

/** The ways to try on a task. */
export function cheatsFor({ manifest }: PreparedTask): readonly StandardCheat[] {
  const constants = CONSTANTS.map(([way, does]) => ({ way, does, once: false }));
  if (manifest.kind === "questions") return [...WAYS, ...constants];
  if (manifest.kind !== "supervised") return [];
  const asked = new Set(manifest.cases.map(({ scoring }) => ASKED[scoring.by as keyof typeof ASKED]));
  const classes = (manifest.supervised?.classes ?? []).slice(0, 20);
  const always = classes.map((name, at) => ({
    way: `class_${at}`,
    does: `always predicts ${JSON.stringify(name)}`,
    once: false,
  }));
  const alike = { way: "uniform", does: "predicts the same of every row", once: false };
  const numbers = asked.has("numbers") ? constants.filter(({ way }) => ["zero", "one", "largest"].includes(way)) : [];
  const labels =
    asked.has("labels") && classes.length === 0 ? constants.filter(({ way }) => ["zero", "one"].includes(way)) : [];
  return [...WAYS, alike, ...always, ...new Set([...numbers, ...labels])];
}

/** Makes an agent of it. `guestDir`: the host's folder of runners. */
export async function prepareCheat(guestDir: string, { way }: StandardCheat, workDir: string): Promise<PreparedAgent> {
  const agent = await prepareAgent(join(guestDir, "cheats"), { workDir });
  await writeFile(join(agent.dir, "way.txt"), `${way}\n`);
  return { ...agent, name: `cheat: ${way}` };
}
