/** What a worker can enforce: found out at its start, by trying every runtime with a real box. */
import { examineHost } from "@lanista/sandbox/doctor";
import type { GiveUp, Tier } from "@lanista/sandbox/types";
import type { WorkerPlan } from "./options.ts";

export interface TierAbility {
  readonly tier: Tier;
  readonly runtime: string;
  readonly version: string;
  /** What it goes without. */
  readonly missing: readonly string[];
}

export interface Abilities {
  readonly tiers: readonly TierAbility[];
  /** Why tiers or runtimes are not offered, for the log. */
  readonly left: readonly string[];
}

/** Only what a job could really run in: a runtime that works, and lacks nothing but what was given up. */
export async function findAbilities(plan: Pick<WorkerPlan, "tiers" | "giveUp">): Promise<Abilities> {
  const wanted = (tier: Tier): boolean => (plan.tiers === undefined ? tier !== "none" : plan.tiers.includes(tier));
  const tiers: TierAbility[] = [];
  const left: string[] = [];
  let { runtimes } = await examineHost();
  // What fails by chance at the start would not be offered for as long as the worker lives.
  const failed = runtimes.some(({ tier, path, works }) => wanted(tier) && path !== null && !works);
  if (failed) ({ runtimes } = await examineHost());
  for (const { tier, runtime, version, works, problem, unenforceable } of runtimes) {
    if (!wanted(tier)) continue;
    const missing = unenforceable.map(({ name }) => name);
    const refused = missing.filter((name) => !plan.giveUp.includes(name as GiveUp));
    if (!works) left.push(`${tier} by ${runtime}: ${problem ?? "does not work"}`);
    else if (refused.length > 0) left.push(`${tier} by ${runtime}: cannot enforce ${refused.join(", ")}`);
    else tiers.push({ tier, runtime, version: version ?? "", missing });
  }
  if (plan.tiers?.includes("none")) tiers.push({ tier: "none", runtime: "none", version: "", missing: [] });
  return { tiers, left };
}
