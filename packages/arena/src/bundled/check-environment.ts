/**
 * What every bundled environment must hold, as far as it can be seen from outside, checked in random episodes: it gives findings, and
 * an empty list means that matches in it can be repeated and verified. It cannot know whether the rules are the right ones.
 */
import { SeededChance } from "@lanista/games/chance";
import { EnvironmentFault, type Episodes } from "../episodes/episodes.ts";
import type { Space } from "../episodes/spaces.ts";
import type { BundledSource, EnvironmentBoxes } from "./environment-boxes.ts";
import type { BundledEnvironment } from "./take.ts";

export const ENVIRONMENT_CHECKS = {
  opens: "it can be made, and says what its seats and spaces are: the same in every box",
  plays: "episodes are played to an end, or to max_steps, and nothing is raised",
  determinism: "the same seed and actions give the same episode in another box",
  reset: "the same seed gives the same episode whatever was played before it: nothing is kept",
  bounds: "observations keep to the bounds of their space",
  "zero-sum": "rewards sum to zero at each step where zero_sum says so",
  "return-range": "sums of rewards stay in return_range",
} as const;

export type EnvironmentCheck = keyof typeof ENVIRONMENT_CHECKS;

export interface EnvironmentFinding {
  readonly check: EnvironmentCheck;
  /** What was seen, for people. */
  readonly detail: string;
  /** The seed of the episode and its step; empty where it was in none. */
  readonly where: string;
}

export interface CheckEffort {
  readonly episodes: number;
  /** Of the first episode; the others follow. */
  readonly seed: number;
}

export interface CheckedEnvironment {
  /** Of each check the first. */
  readonly findings: readonly EnvironmentFinding[];
  /** What it says of itself; null where it could not be opened. */
  readonly described: Pick<BundledSource, "seats" | "views"> | null;
}

/** Throws what `EnvironmentBoxes.source` throws, but for an EnvironmentFault: that is a finding. */
export async function checkBundledEnvironment(
  boxes: EnvironmentBoxes,
  bundle: BundledEnvironment,
  options: Readonly<Record<string, unknown>>,
  { episodes, seed }: CheckEffort,
  signal?: AbortSignal,
): Promise<CheckedEnvironment> {
  const report = new Report();
  let source: BundledSource;
  try {
    source = await boxes.source(bundle, options, signal);
  } catch (error) {
    report.fault("opens", error);
    return { findings: report.findings, described: null };
  }
  const { seats, views } = source;
  const seeds = Array.from({ length: episodes }, (_, i) => seed + i);
  try {
    // In the second box they are played from the last to the first, and each twice: what an episode leaves behind shows.
    const first = await inBox(source, report, signal, seeds);
    if (first === undefined) return { findings: report.findings, described: { seats, views } };
    const fresh = await inBox(source, report, signal, [seed]);
    if (fresh !== undefined) report.compare("determinism", [seed], fresh, first);
    const again = await inBox(source, report, signal, [...seeds, ...seeds].reverse());
    if (again !== undefined)
      report.compare("reset", [...seeds, ...seeds].reverse(), again, [...first, ...first].reverse());
  } finally {
    await source.close();
  }
  return { findings: report.findings, described: { seats, views } };
}

class Report {
  readonly #findings = new Map<EnvironmentCheck, EnvironmentFinding>();
  where = "";

  get findings(): EnvironmentFinding[] {
    return [...this.#findings.values()];
  }

  found(check: EnvironmentCheck, detail: string, where = this.where): void {
    if (!this.#findings.has(check)) this.#findings.set(check, { check, detail, where });
  }

  /** Takes an EnvironmentFault as a finding, unless it is ours; throws what else there is. */
  fault(check: EnvironmentCheck, error: unknown): void {
    if (!(error instanceof EnvironmentFault) || error.ours) throw error;
    this.found(check, error.message);
  }

  compare(check: EnvironmentCheck, seeds: readonly number[], now: readonly Trace[], then: readonly Trace[]): void {
    for (const [i, seed] of seeds.entries()) {
      const [one, other] = [now[i]!, then[i]!];
      const step = one.findIndex((record, at) => record !== other[at]);
      if (step < 0 && one.length === other.length) continue;
      const at = step < 0 ? one.length : step;
      this.found(check, `${cut(one[at])} here, ${cut(other[at])} there`, `seed ${seed}, step ${at}`);
      return;
    }
  }
}

/** What there was to be seen before each step, and at the end. */
type Trace = readonly string[];

const cut = (record = "the end"): string => (record.length > 300 ? `${record.slice(0, 300)}…` : record);

async function inBox(
  source: BundledSource,
  report: Report,
  signal: AbortSignal | undefined,
  seeds: readonly number[],
): Promise<Trace[] | undefined> {
  let check: EnvironmentCheck = "opens";
  let episodes: Episodes | undefined;
  const cancel = (): void => episodes?.cancel();
  signal?.addEventListener("abort", cancel);
  try {
    episodes = await source.open(signal);
    check = "plays";
    const traces: Trace[] = [];
    for (const seed of seeds) traces.push(await play(source, episodes, seed, report));
    return traces;
  } catch (error) {
    report.fault(check, error);
    return undefined;
  } finally {
    signal?.removeEventListener("abort", cancel);
    await episodes?.close();
  }
}

async function play(source: BundledSource, episodes: Episodes, seed: number, report: Report): Promise<Trace> {
  const { views, zeroSum, returnRange } = source;
  const trace: string[] = [];
  const chance = SeededChance.fromSeed(seed).split(1);
  const returns = views.map(() => 0);
  report.where = `seed ${seed}, step 0`;
  await episodes.reset(SeededChance.fromSeed(seed).split(0));
  while (episodes.end === null) {
    report.where = `seed ${seed}, step ${episodes.steps}`;
    const shown: string[] = [];
    const actions = views.map(({ observation: space }, seat) => {
      if ((episodes.actors & (1 << seat)) === 0) return null;
      const seen = episodes.observation(seat);
      shown.push(`seat ${seat} sees ${seen} ${episodes.mask(seat)?.join("") ?? ""}`);
      const beyond = outOfBounds(space, JSON.parse(seen));
      if (beyond !== undefined) report.found("bounds", `seat ${seat} sees ${beyond}`);
      return episodes.randomAction(seat, chance);
    });
    trace.push(shown.join("; "));
    await episodes.step(actions);
    const rewards = views.map((_, seat) => episodes.reward(seat));
    for (const [seat, reward] of rewards.entries()) returns[seat]! += reward;
    trace.push(`rewards ${rewards.join(", ")}`);
    const sum = rewards.reduce((total, reward) => total + reward, 0);
    if (zeroSum && Math.abs(sum) > 1e-9) report.found("zero-sum", `the rewards ${rewards.join(", ")} sum to ${sum}`);
  }
  trace.push(episodes.end);
  const [least, greatest] = returnRange;
  for (const [seat, sum] of returns.entries())
    if (sum < least - 1e-9 || sum > greatest + 1e-9)
      report.found("return-range", `the return of seat ${seat} is ${sum}, return_range says ${least} … ${greatest}`);
  return trace;
}

/** The first number beyond its Box's bounds, in words. */
function outOfBounds(space: Space, value: unknown): string | undefined {
  if (space.type === "Tuple") return firstOf(space.spaces.map((one, i) => [one, (value as unknown[])[i]]));
  if (space.type === "Dict")
    return firstOf(space.spaces.map(([key, one]) => [one, (value as Record<string, unknown>)[key]]));
  if (space.type !== "Box") return undefined;
  for (const [i, one] of (value as unknown[]).entries()) {
    const low = typeof space.low === "number" ? space.low : space.low[i]!;
    const high = typeof space.high === "number" ? space.high : space.high[i]!;
    if (!(Number(one) >= low && Number(one) <= high)) return `${one}, beyond ${low} … ${high}`;
  }
  return undefined;
}

function firstOf(parts: readonly (readonly [Space, unknown])[]): string | undefined {
  for (const [space, value] of parts) {
    const beyond = outOfBounds(space, value);
    if (beyond !== undefined) return beyond;
  }
  return undefined;
}
