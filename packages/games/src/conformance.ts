/**
 * The conformance kit: what every environment must hold, checked on its definition and in random playouts. It works on
 * any definition, a user's own included, and returns what it found instead of throwing: an empty list means that the
 * environment can be trusted with matches, searches and replays. It cannot know whether the rules are the right ones.
 */
import { checkDefinition, checkInfo, variants } from "./conformance/info.ts";
import { Playout } from "./conformance/playout.ts";
import { type Finding, Report } from "./conformance/report.ts";
import { checkActionNames } from "./conformance/view.ts";
import { Environment, type EnvironmentDefinition } from "./environment.ts";
import { normaliseOptions } from "./options.ts";

export { CHECKS, type CheckName, type Finding } from "./conformance/report.ts";

export interface Effort {
  /** Playouts of each set of options; their seeds are `seed`, `seed` + 1 and so on. */
  readonly episodes: number;
  readonly seed: number;
  /** An episode that takes more steps is broken off; without a greatest number of steps of its own, that is a finding. */
  readonly steps: number;
}

const EFFORT: Effort = { episodes: 20, seed: 0, steps: 100_000 };
/** For the options' ends, which are there to be tried at all. */
const LESS_EFFORT: Effort = { ...EFFORT, episodes: 3 };

/** Checks what `make` makes, a new environment at each call; `checkEnvironment` is the usual way in. */
export function checkMade(make: () => Environment, report: Report, effort: Effort): void {
  const made: Environment[] = [];
  const where = report.where;
  report.guard("definition", "making the rules", () => made.push(make()));
  const env = made[0];
  if (env === undefined) return;
  if (env.turn !== "sequential" && env.turn !== "simultaneous") report.found("info", `turn is ${env.turn}`);
  report.guard("info", "reading what the rules say of themselves", () => checkInfo(env.info, report));
  if (report.findings.some((finding) => finding.check === "info")) return;
  report.guard("rendering", "actionName", () => checkActionNames(env, report));
  let draws = 0;
  for (let i = 0; i < effort.episodes; i++) {
    const playout = new Playout(make, env, effort.seed + i, report);
    playout.run(effort.steps);
    draws += playout.draws;
    if (draws > 0 && !env.info.chance) report.found("chance", "the rules drew, but say that they are free of chance");
    // An episode that was broken off took so long that one is enough.
    if (playout.brokenOff) break;
  }
  report.where = where;
  if (draws === 0 && env.info.chance && report.findings.length === 0)
    report.found("chance", `the rules say that there is chance, but drew nothing in ${effort.episodes} playouts`);
}

/**
 * Checks a definition with the options given; without options, with the default ones and with each option at its ends.
 * Throws OptionError if the definition does not take the options given.
 */
export function checkEnvironment(
  definition: EnvironmentDefinition,
  given?: { readonly [name: string]: unknown },
  effort: Partial<Effort> = {},
): Finding[] {
  const report = new Report();
  checkDefinition(definition, report);
  if (report.findings.length > 0) return report.findings;
  for (const [index, options] of (given ? [given] : variants(definition)).entries()) {
    const complete = normaliseOptions(definition.options, options);
    report.where = `options ${JSON.stringify(options)}`;
    checkMade(() => new Environment(definition, complete), report, {
      ...(index === 0 ? EFFORT : LESS_EFFORT),
      ...effort,
    });
  }
  return report.findings;
}
