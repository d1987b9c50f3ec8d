import type { Chance } from "./chance.ts";
import {
  ACTORS,
  ENDED,
  type EnvironmentDefinition,
  OWN,
  type SequentialRules,
  STEPS,
  type State,
  TERMINATED,
} from "./environment.ts";

const CARDS = "JQK";
const SEATS = 2;
/** Where in `ints`: each seat's card, 0 the lowest; then for each betting turn 0, or 1 + the action. */
const CARD = OWN;
const TURN = OWN + SEATS;
const TURNS = 3;
const options = {} as const;

/** The betting so far as people write it: p and b. */
function betting(ints: Int32Array): string {
  let text = "";
  for (let turn = 0; turn < TURNS; turn++) text += ["", "p", "b"][ints[TURN + turn]!];
  return text;
}

class KuhnPoker implements SequentialRules {
  readonly turn = "sequential";
  readonly info = {
    seats: SEATS,
    ownInts: SEATS + TURNS,
    ownFloats: 0,
    actions: 2,
    observation: { type: "Box", shape: [11], dtype: "int8", low: 0, high: 1 },
    returnRange: [-2, 2],
    zeroSum: true,
    maxSteps: Number.POSITIVE_INFINITY,
    chance: true,
    perfectInformation: false,
    everyActionLegal: true,
  } as const;

  /** Draws seat 0's card of the three, then which of the two that are left, lowest first, seat 1 gets. */
  init({ ints }: State, chance: Chance): void {
    const first = chance.below(3);
    const second = chance.below(2);
    ints[CARD] = first;
    ints[CARD + 1] = second < first ? second : second + 1;
    ints[ACTORS] = 1;
  }

  isLegal(_state: State, _seat: number, action: number): boolean {
    return action === 0 || action === 1;
  }

  mask(_state: State, _seat: number, mask: Uint8Array): void {
    mask.fill(1, 0, 2);
  }

  apply({ ints, floats }: State, seat: number, action: number): void {
    // The base has counted this step already.
    const turn = ints[STEPS]! - 1;
    ints[TURN + turn] = 1 + action;
    const facingBet = turn > 0 && ints[TURN + turn - 1] === 2;
    if (!facingBet && (turn === 0 || action === 1)) {
      ints[ACTORS] = 1 << (1 - seat);
      return;
    }
    const folded = facingBet && action === 0;
    const winner = folded ? 1 - seat : ints[CARD]! > ints[CARD + 1]! ? 0 : 1;
    // Each seat paid 1 at the start; a bet that was called makes it 2.
    const stake = facingBet && action === 1 ? 2 : 1;
    floats[winner] = stake;
    floats[1 - winner] = -stake;
    ints[ENDED] = TERMINATED;
  }

  /** The layout of OpenSpiel's information state tensor: seat (2), own card (3), three turns of pass and bet (6). */
  observe({ ints }: State, seat: number, out: Float64Array): void {
    out.fill(0, 0, 11);
    out[seat] = 1;
    out[SEATS + ints[CARD + seat]!] = 1;
    for (let turn = 0; turn < TURNS; turn++) {
      const played = ints[TURN + turn]!;
      if (played !== 0) out[5 + 2 * turn + played - 1] = 1;
    }
  }

  render({ ints }: State): string {
    return `seat 0: ${CARDS[ints[CARD]!]}\nseat 1: ${CARDS[ints[CARD + 1]!]}\nbetting: ${betting(ints) || "-"}`;
  }

  actionName(action: number): string {
    return ["pass", "bet"][action] ?? String(action);
  }
}

export const kuhnPoker: EnvironmentDefinition<typeof options> = {
  id: "kuhn-poker",
  version: 1,
  title: "Kuhn poker",
  description:
    "Two seats pay 1 each and get one card each of jack, queen and king. Actions: 0 pass (check, or fold to a bet), 1 bet (1 more, or call). " +
    "Seat 0 begins; after two passes or a called bet the higher card wins 1 or 2, after a fold the other seat wins 1. An observation is 11 " +
    "zeros and ones: the seat (2), its own card (3), and for each of three turns pass or bet (6). The other's card is never in it.",
  options,
  make: () => new KuhnPoker(),
};
