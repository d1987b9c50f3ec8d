/**
 * A ladder of agents whose strengths are known: how many matches each rule of pairing needs until the ratings have the
 * order right. For bench/ladder-simulation.ts and tests; nothing of it runs in a server.
 */
import { type Chance, SeededChance } from "@lanista/games/chance";
import { bradleyTerry, type RankedMatch } from "./bradley-terry.ts";
import { nextLineup } from "./matchmaking.ts";
import { type AgentRating, BETA, conservative, fold, NEWCOMER } from "./rating.ts";

export const PAIRING_RULES = ["random", "round robin", "information gain"] as const;
export type PairingRule = (typeof PAIRING_RULES)[number];

export interface SimulationRequest {
  readonly rule: PairingRule;
  /** On openskill's scale; the first beats the second with probability 1 / (1 + e^(−difference / 5.89)). */
  readonly strengths: readonly number[];
  readonly drawShare?: number;
  readonly matches: number;
  /** After how many matches the orders are compared with the truth, again and again. */
  readonly stride: number;
  readonly seed: number;
}

/** Kendall's tau of each order with the truth, after every `stride` matches. */
export interface SimulationResult {
  /** By mu − 3 sigma, as the board shows it. */
  readonly board: readonly number[];
  readonly mu: readonly number[];
  /** Of all matches so far, fitted at once. */
  readonly bradleyTerry: readonly number[];
}

/** Kendall's rank correlation (tau-a): 1 for the same order, −1 for the reverse. */
export function kendallTau(one: readonly number[], other: readonly number[]): number {
  let sum = 0;
  for (let a = 0; a < one.length; a++)
    for (let b = a + 1; b < one.length; b++) sum += Math.sign((one[a]! - one[b]!) * (other[a]! - other[b]!));
  return sum / ((one.length * (one.length - 1)) / 2);
}

function shuffled<T>(values: T[], chance: Chance): T[] {
  for (let at = values.length - 1; at > 0; at--) {
    const other = chance.below(at + 1);
    [values[at], values[other]] = [values[other]!, values[at]!];
  }
  return values;
}

/** Gives the next pair under a rule. */
type Pairer = (ratings: ReadonlyMap<string, AgentRating>) => readonly [number, number];

function pairer(rule: PairingRule, agents: number, chance: Chance): Pairer {
  const all = Array.from({ length: agents }, (_, one) =>
    Array.from({ length: agents - one - 1 }, (_, next) => [one, one + next + 1] as const),
  ).flat();
  let round: (readonly [number, number])[] = [];
  switch (rule) {
    case "random":
      return () => all[chance.below(all.length)]!;
    case "round robin":
      return () => {
        if (round.length === 0) round = shuffled([...all], chance);
        return round.pop()!;
      };
    case "information gain":
      return (ratings) => {
        const candidates = Array.from({ length: agents }, (_, agent) => {
          const { mu, sigma } = ratings.get(String(agent)) ?? NEWCOMER;
          return { agent: String(agent), mu, sigma, placement: false, resting: false };
        });
        const [one, other] = nextLineup({ candidates, seats: 2, mayMeet: () => true, chance })!;
        return [Number(one!.agent), Number(other!.agent)];
      };
  }
}

export function simulate(request: SimulationRequest): SimulationResult {
  const { rule, strengths, drawShare = 0, matches, stride, seed } = request;
  const chance = SeededChance.fromSeed(seed);
  const next = pairer(rule, strengths.length, chance.split(0));
  const ratings = new Map<string, AgentRating>();
  const played: RankedMatch[] = [];
  const result = { board: [] as number[], mu: [] as number[], bradleyTerry: [] as number[] };
  for (let count = 1; count <= matches; count++) {
    const pair = next(ratings);
    const p = 1 / (1 + Math.exp((strengths[pair[1]]! - strengths[pair[0]]!) / (Math.SQRT2 * BETA)));
    const drawn = chance.uniform(0, 1) < drawShare;
    const won = chance.uniform(0, 1) < p;
    const ranks = drawn ? [1, 1] : won ? [1, 2] : [2, 1];
    played.push({ agents: pair, ranks });
    fold(
      ratings,
      pair.map((agent, seat) => ({ agent: String(agent), version: "1", rank: ranks[seat]!, score: 0, fault: "" })),
    );
    if (count % stride !== 0) continue;
    const known = strengths.map((_, agent) => ratings.get(String(agent)) ?? NEWCOMER);
    result.board.push(kendallTau(strengths, known.map(conservative)));
    result.mu.push(
      kendallTau(
        strengths,
        known.map(({ mu }) => mu),
      ),
    );
    result.bradleyTerry.push(kendallTau(strengths, bradleyTerry(strengths.length, played, { tolerance: 1e-3 })));
  }
  return result;
}
