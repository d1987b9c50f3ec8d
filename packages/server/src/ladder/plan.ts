/**
 * Everybody against everybody: a round of an open ladder, or the finals. The plan is who takes part and how many rounds;
 * the match at any place of it is computed, so that matches are made a few at a time however many there are.
 */
import { z } from "zod";

export const storedPlan = z.strictObject({
  kind: z.enum(["round", "finals"]),
  rounds: z.int().min(1),
  agents: z.array(z.strictObject({ agent: z.string(), version: z.string(), owner: z.string() })),
});
export type Plan = z.infer<typeof storedPlan>;

/** Matches of one plan, at most. */
export const MOST_PLANNED = 100_000;

/** How many ways there are to choose `k` of `n`; Infinity beyond 2^53. */
export function choose(n: number, k: number): number {
  if (k < 0 || k > n) return 0;
  let ways = 1;
  for (let i = 1; i <= k; i++) ways = (ways * (n - k + i)) / i;
  return Number.isSafeInteger(Math.round(ways)) ? Math.round(ways) : Number.POSITIVE_INFINITY;
}

/** The choice of `k` of 0 … n − 1 at a place of their lexicographic order. */
function choiceAt(n: number, k: number, place: number): number[] {
  const chosen: number[] = [];
  let rest = place;
  for (let candidate = 0; chosen.length < k; candidate++) {
    const withIt = choose(n - candidate - 1, k - chosen.length - 1);
    if (rest < withIt) chosen.push(candidate);
    else rest -= withIt;
  }
  return chosen;
}

/** How many places a plan has: every choice of agents in each rotation of the seats, in each round. */
export function places(agents: number, seats: number, rounds: number): number {
  return choose(agents, seats) * seats * rounds;
}

/** The line-up at a place, as indices in the plan's agents, or null where two of one owner would meet. */
export function lineupAt(plan: Plan, seats: number, place: number): number[] | null {
  const groups = choose(plan.agents.length, seats);
  const group = choiceAt(plan.agents.length, seats, Math.floor(place / seats) % groups);
  if (!mayMeetAll(plan, group)) return null;
  const turn = place % seats;
  return [...group.slice(turn), ...group.slice(0, turn)];
}

/** Agents of one owner do not meet, unless nobody else is there. */
function mayMeetAll({ agents }: Plan, group: readonly number[]): boolean {
  const owners = new Set(group.map((index) => agents[index]!.owner));
  return owners.size === group.length || agents.every(({ owner }) => owner === agents[0]!.owner);
}

/** How many matches a plan makes. */
export function plannedMatches(plan: Plan, seats: number): number {
  const groups = choose(plan.agents.length, seats);
  let meeting = 0;
  for (let group = 0; group < groups; group++)
    if (mayMeetAll(plan, choiceAt(plan.agents.length, seats, group))) meeting++;
  return meeting * seats * plan.rounds;
}
