import type { Chance } from "./chance.ts";
import {
  ACTORS,
  ENDED,
  type EnvironmentDefinition,
  OWN,
  type RulesInfo,
  type SequentialRules,
  type State,
  TERMINATED,
} from "./environment.ts";
import type { Options } from "./options.ts";

const options = {
  natural: {
    type: "boolean",
    default: false,
    description: "Whether a win with an ace and a ten from the start pays 1.5; without effect where sab is true",
  },
  sab: {
    type: "boolean",
    default: true,
    description:
      "Whether an ace and a ten from the start always win unless the dealer has them too, as Sutton and Barto have it",
  },
} as const;

/** A card is its rank: ace, 2 … 10, jack, queen, king. Every draw is from a full deck. */
const RANKS = ["A", "2", "3", "4", "5", "6", "7", "8", "9", "10", "J", "Q", "K"];
/** The longest hand: 21 aces, and one card more. (A dealer's has 12 at most.) */
const LONGEST = 22;
/** Where in `ints` a hand is: how many cards, then the cards. */
const SEAT = OWN;
const DEALER = OWN + 1 + LONGEST;
const DEALER_STANDS = 17;
const BEST = 21;

function draw(ints: Int32Array, hand: number, chance: Chance): void {
  const cards = ints[hand]! + 1;
  ints[hand + cards] = chance.below(RANKS.length);
  ints[hand] = cards;
}

/** The sum with every ace as 1. */
function least(ints: Int32Array, hand: number): number {
  let sum = 0;
  for (let i = 1; i <= ints[hand]!; i++) sum += Math.min(ints[hand + i]! + 1, 10);
  return sum;
}

/** 1 if the hand has an ace that can count 11. (A second one never can.) */
function usableAce(ints: Int32Array, hand: number): number {
  for (let i = 1; i <= ints[hand]!; i++) if (ints[hand + i] === 0) return least(ints, hand) + 10 <= BEST ? 1 : 0;
  return 0;
}

function total(ints: Int32Array, hand: number): number {
  return least(ints, hand) + 10 * usableAce(ints, hand);
}

/** What a hand is worth in the end: nothing if it is over 21. */
function worth(ints: Int32Array, hand: number): number {
  const sum = total(ints, hand);
  return sum > BEST ? 0 : sum;
}

function isNatural(ints: Int32Array, hand: number): boolean {
  return ints[hand] === 2 && total(ints, hand) === BEST;
}

function cards(ints: Int32Array, hand: number): string {
  const ranks = Array.from(ints.subarray(hand + 1, hand + 1 + ints[hand]!), (card) => RANKS[card]);
  return `${ranks.join(" ")} (${usableAce(ints, hand) === 1 ? "soft " : ""}${total(ints, hand)})`;
}

class Blackjack implements SequentialRules {
  readonly turn = "sequential";
  readonly info: RulesInfo;
  readonly #natural: boolean;
  readonly #sab: boolean;

  constructor({ natural, sab }: Options<typeof options>) {
    this.#natural = natural && !sab;
    this.#sab = sab;
    this.info = {
      seats: 1,
      ownInts: 2 * (1 + LONGEST),
      ownFloats: 0,
      actions: 2,
      observation: { type: "Box", shape: [3], dtype: "int8", low: 0, high: [31, 10, 1] },
      returnRange: [-1, this.#natural ? 1.5 : 1],
      zeroSum: false,
      maxSteps: Number.POSITIVE_INFINITY,
      chance: true,
      perfectInformation: false,
      everyActionLegal: true,
    };
  }

  /** Draws the dealer's two cards, the shown one first, then the seat's two: each 0 (ace) … 12 (king). */
  init({ ints }: State, chance: Chance): void {
    for (const hand of [DEALER, SEAT]) {
      draw(ints, hand, chance);
      draw(ints, hand, chance);
    }
    ints[ACTORS] = 1;
  }

  isLegal(_state: State, _seat: number, action: number): boolean {
    return action === 0 || action === 1;
  }

  mask(_state: State, _seat: number, mask: Uint8Array): void {
    mask.fill(1, 0, 2);
  }

  /** Draws the seat's card, or at the end as many as the dealer takes. */
  apply({ ints, floats }: State, _seat: number, action: number, chance: Chance): void {
    if (action === 1) {
      draw(ints, SEAT, chance);
      if (total(ints, SEAT) <= BEST) return;
      floats[0] = -1;
    } else {
      while (total(ints, DEALER) < DEALER_STANDS) draw(ints, DEALER, chance);
      floats[0] = this.#result(ints);
    }
    ints[ENDED] = TERMINATED;
  }

  #result(ints: Int32Array): number {
    const natural = isNatural(ints, SEAT);
    if (this.#sab && natural && !isNatural(ints, DEALER)) return 1;
    const lead = worth(ints, SEAT) - worth(ints, DEALER);
    if (lead > 0) return this.#natural && natural ? 1.5 : 1;
    return lead < 0 ? -1 : 0;
  }

  observe({ ints }: State, _seat: number, out: Float64Array): void {
    out[0] = total(ints, SEAT);
    out[1] = Math.min(ints[DEALER + 1]! + 1, 10);
    out[2] = usableAce(ints, SEAT);
  }

  render({ ints }: State): string {
    return `seat 0: ${cards(ints, SEAT)}\ndealer: ${cards(ints, DEALER)}, the first card is shown`;
  }

  actionName(action: number): string {
    return ["stick", "hit"][action] ?? String(action);
  }
}

export const blackjack: EnvironmentDefinition<typeof options> = {
  id: "blackjack",
  version: 1,
  title: "Blackjack",
  description:
    "One seat plays against a dealer; each begins with two cards. Number cards count what they say, jack, queen and king 10, an ace 11 or, where " +
    "that would be over 21, 1. Actions: 0 stick, 1 hit (one card more). Over 21 the seat loses at once (−1); once it sticks, the dealer draws " +
    "until 17, and the hand nearer to 21 wins (±1, 0 if equal). An observation is the seat's sum, the dealer's shown card (1 an ace) and " +
    "whether an ace of the seat's counts 11. As Gymnasium's Blackjack-v1.",
  options,
  make: (given) => new Blackjack(given),
};
