import type { Chance } from "./chance.ts";
import {
  ACTORS,
  ENDED,
  type EnvironmentDefinition,
  OWN,
  type SequentialRules,
  type State,
  TERMINATED,
} from "./environment.ts";

/** Two of each rank, lowest first: cards 2 × rank and 2 × rank + 1. */
const CARDS = ["J1", "J2", "Q1", "Q2", "K1", "K2"];
const SEATS = 2;
const [FOLD, CALL, RAISE] = [0, 1, 2] as const;
const NAMES = ["fold", "call", "raise"];
/** Raises in each round, and actions: check, raise, raise, call is the longest way. */
const MOST_RAISES = 2;
const TURNS = 4;
/**
 * Where in `ints`: each seat's card; the public card, or −1; the round, 0 or 1; raises and actions in it; what each seat
 * has paid; then for each round and turn 0, or 1 + the action.
 */
const CARD = OWN;
const PUBLIC = OWN + SEATS;
const ROUND = PUBLIC + 1;
const RAISES = PUBLIC + 2;
const TURN = PUBLIC + 3;
const PAID = PUBLIC + 4;
const BETS = PAID + SEATS;
const options = {} as const;

/** A pair beats all else; then the rank of the own card tells, for the public one is both seats'. */
function strength(card: number, open: number): number {
  return card >> 1 === open >> 1 ? CARDS.length : card >> 1;
}

/** The card in place `index` of those left, lowest first, once `a` and `b` (a < b) are dealt. */
function skip(index: number, a: number, b: number): number {
  const one = index + (index >= a ? 1 : 0);
  return one + (one >= b ? 1 : 0);
}

/** A round's betting as people write it: f, c and r. */
function betting(ints: Int32Array, round: number): string {
  let text = "";
  for (let turn = 0; turn < TURNS; turn++) text += ["", "f", "c", "r"][ints[BETS + TURNS * round + turn]!];
  return text || "-";
}

class LeducPoker implements SequentialRules {
  readonly turn = "sequential";
  readonly info = {
    seats: SEATS,
    ownInts: 6 + SEATS + 2 * TURNS,
    ownFloats: 0,
    actions: 3,
    observation: { type: "Box", shape: [30], dtype: "int8", low: 0, high: 1 },
    returnRange: [-13, 13],
    zeroSum: true,
    maxSteps: Number.POSITIVE_INFINITY,
    chance: true,
    perfectInformation: false,
  } as const;

  /** Draws seat 0's card of the six, then which of the five that are left, lowest first, seat 1 gets. */
  init({ ints }: State, chance: Chance): void {
    const first = chance.below(6);
    ints[CARD] = first;
    ints[CARD + 1] = skip(chance.below(5), first, CARDS.length);
    ints[PUBLIC] = -1;
    ints[PAID] = 1;
    ints[PAID + 1] = 1;
    ints[ACTORS] = 1;
  }

  isLegal({ ints }: State, seat: number, action: number): boolean {
    if (action === FOLD) return ints[PAID + 1 - seat]! > ints[PAID + seat]!;
    return action === CALL || (action === RAISE && ints[RAISES]! < MOST_RAISES);
  }

  mask(state: State, seat: number, mask: Uint8Array): void {
    for (let action = FOLD; action <= RAISE; action++) mask[action] = this.isLegal(state, seat, action) ? 1 : 0;
  }

  /** Draws, where the first round ends, which of the four cards that are left, lowest first, is the public one. */
  apply(state: State, seat: number, action: number, chance: Chance): void {
    const { ints } = state;
    const other = 1 - seat;
    const turn = ints[TURN]!;
    ints[BETS + TURNS * ints[ROUND]! + turn] = 1 + action;
    ints[TURN] = turn + 1;
    if (action === FOLD) {
      this.#end(state, other, ints[PAID + seat]!);
      return;
    }
    ints[PAID + seat] = ints[PAID + other]!;
    ints[ACTORS] = 1 << other;
    if (action === RAISE) {
      ints[PAID + seat] = ints[PAID + seat]! + (ints[ROUND] === 0 ? 2 : 4);
      ints[RAISES] = ints[RAISES]! + 1;
    } else if (turn > 0) {
      if (ints[ROUND] === 0) this.#open(ints, chance);
      else this.#showdown(state);
    }
  }

  #open(ints: Int32Array, chance: Chance): void {
    const a = ints[CARD]!;
    const b = ints[CARD + 1]!;
    ints[PUBLIC] = skip(chance.below(4), Math.min(a, b), Math.max(a, b));
    ints[ROUND] = 1;
    ints[RAISES] = 0;
    ints[TURN] = 0;
    ints[ACTORS] = 1;
  }

  #showdown(state: State): void {
    const { ints } = state;
    const open = ints[PUBLIC]!;
    const lead = strength(ints[CARD]!, open) - strength(ints[CARD + 1]!, open);
    if (lead === 0) ints[ENDED] = TERMINATED;
    else this.#end(state, lead > 0 ? 0 : 1, ints[PAID]!);
  }

  /** The winner gets what the other has paid. */
  #end({ ints, floats }: State, winner: number, paid: number): void {
    floats[winner] = paid;
    floats[1 - winner] = -paid;
    ints[ENDED] = TERMINATED;
  }

  /** The layout of OpenSpiel's information state tensor: seat (2), own card (6), public card (6), two rounds of four turns (16). */
  observe({ ints }: State, seat: number, out: Float64Array): void {
    out.fill(0, 0, 30);
    out[seat] = 1;
    out[SEATS + ints[CARD + seat]!] = 1;
    if (ints[PUBLIC]! >= 0) out[SEATS + 6 + ints[PUBLIC]!] = 1;
    for (let i = 0; i < 2 * TURNS; i++) {
      const played = ints[BETS + i]! - 1;
      if (played === CALL || played === RAISE) out[SEATS + 12 + 2 * i + played - CALL] = 1;
    }
  }

  render({ ints }: State): string {
    return [
      `seat 0: ${CARDS[ints[CARD]!]}, has paid ${ints[PAID]}`,
      `seat 1: ${CARDS[ints[CARD + 1]!]}, has paid ${ints[PAID + 1]}`,
      `public: ${CARDS[ints[PUBLIC]!] ?? "-"}`,
      `betting: ${betting(ints, 0)} ${betting(ints, 1)}`,
    ].join("\n");
  }

  actionName(action: number): string {
    return NAMES[action] ?? String(action);
  }
}

export const leducPoker: EnvironmentDefinition<typeof options> = {
  id: "leduc-poker",
  version: 1,
  title: "Leduc poker",
  description:
    "Two seats pay 1 each and get one card each of two jacks, two queens and two kings. Actions: 0 fold (only to a raise), 1 call (or check), 2 raise " +
    "(by 2 in the first round, 4 in the second; twice a round at most). Seat 0 begins both rounds; between them a card is laid open. " +
    "After a fold the other seat wins what was paid; else a pair with the open card wins, then the higher card; equal ranks draw. An observation is 30 " +
    "zeros and ones: the seat (2), its own card (6), the open card (6), and for each round's four turns call or raise (16). The " +
    "other's card is never in it.",
  options,
  make: () => new LeducPoker(),
};
