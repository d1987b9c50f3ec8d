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
  is_rainy: {
    type: "boolean",
    default: false,
    description: "Whether a move goes aside two times of ten, once to each side",
  },
  fickle_passenger: {
    type: "boolean",
    default: false,
    description: "Whether the passenger, three times of ten, wants to go elsewhere after the first move in the taxi",
  },
  action_mask: {
    type: "boolean",
    default: false,
    description: "Whether actions that change nothing, those that Gymnasium's action_mask leaves out, are illegal",
  },
} as const;

/** Gymnasium's map: a colon between two columns is open, a bar is a wall. */
const MAP = ["|R: | : :G|", "| : | : : |", "| : : : : |", "| | : | : |", "|Y| : |B: |"];
const FRAME = "+---------+";
const SIZE = MAP.length;
/** R, G, Y, B. */
const PLACES = [0, 4, 20, 23];
const IN_TAXI = PLACES.length;
const MAX_STEPS = 200;

const [SOUTH, NORTH, EAST, WEST, PICK_UP, DROP_OFF] = [0, 1, 2, 3, 4, 5] as const;
const NAMES = ["south", "north", "east", "west", "pickup", "dropoff"];
const LEFT = [EAST, WEST, NORTH, SOUTH];
const RIGHT = [WEST, EAST, SOUTH, NORTH];

/** Where in `ints`: the taxi's cell, the passenger's place, the place to go to; 1 while the passenger is about to change his mind. */
const TAXI = OWN;
const PASSENGER = OWN + 1;
const DESTINATION = OWN + 2;
const FICKLE = OWN + 3;

function neighbour(cell: number, direction: number): number {
  const row = Math.floor(cell / SIZE);
  const column = cell % SIZE;
  if (direction === SOUTH) return row < SIZE - 1 ? cell + SIZE : cell;
  if (direction === NORTH) return row > 0 ? cell - SIZE : cell;
  const side = MAP[row]!.charAt(2 * column + (direction === EAST ? 2 : 0));
  return side !== ":" ? cell : direction === EAST ? cell + 1 : cell - 1;
}

class Taxi implements SequentialRules {
  readonly turn = "sequential";
  readonly info: RulesInfo;
  readonly #rainy: boolean;
  readonly #fickle: boolean;
  readonly #masked: boolean;
  /** Where a direction leads from a cell, at [4 × cell + direction]; where a wall is, to the same cell. */
  readonly #next = Int8Array.from({ length: 4 * SIZE * SIZE }, (_, i) => neighbour(i >> 2, i & 3));

  constructor({ is_rainy, fickle_passenger, action_mask }: Options<typeof options>) {
    this.#rainy = is_rainy;
    this.#fickle = fickle_passenger;
    this.#masked = action_mask;
    this.info = {
      seats: 1,
      ownInts: 4,
      ownFloats: 0,
      actions: 6,
      observation: { type: "Discrete", n: 500 },
      // Of two places the nearest are four moves apart; a fickle passenger may want to go back to the first one, two moves.
      returnRange: [action_mask ? -MAX_STEPS : -10 * MAX_STEPS, fickle_passenger ? 17 : 15],
      zeroSum: false,
      maxSteps: MAX_STEPS,
      chance: true,
      perfectInformation: !fickle_passenger,
      everyActionLegal: !action_mask,
    };
  }

  /** Draws the taxi's cell, the passenger's place, then which of the other three, in order, to go to; 0 … 2 of ten: fickle. */
  init({ ints }: State, chance: Chance): void {
    ints[TAXI] = chance.below(SIZE * SIZE);
    const from = chance.below(PLACES.length);
    ints[PASSENGER] = from;
    ints[DESTINATION] = this.#elsewhere(from, chance);
    if (this.#fickle && chance.below(10) < 3) ints[FICKLE] = 1;
    ints[ACTORS] = 1;
  }

  #elsewhere(place: number, chance: Chance): number {
    const drawn = chance.below(PLACES.length - 1);
    return drawn < place ? drawn : drawn + 1;
  }

  /** Whether Gymnasium's mask has the action. */
  #changes(ints: Int32Array, action: number): boolean {
    const taxi = ints[TAXI]!;
    const passenger = ints[PASSENGER]!;
    if (action === PICK_UP) return passenger !== IN_TAXI && PLACES[passenger] === taxi;
    if (action === DROP_OFF) return passenger === IN_TAXI && PLACES.indexOf(taxi) >= 0;
    return this.#next[4 * taxi + action] !== taxi;
  }

  isLegal({ ints }: State, _seat: number, action: number): boolean {
    return action >>> 0 === action && action <= DROP_OFF && (!this.#masked || this.#changes(ints, action));
  }

  mask(state: State, seat: number, mask: Uint8Array): void {
    for (let action = SOUTH; action <= DROP_OFF; action++) mask[action] = this.isLegal(state, seat, action) ? 1 : 0;
  }

  apply(state: State, _seat: number, action: number, chance: Chance): void {
    const { ints, floats } = state;
    floats[0] = -1;
    if (action < PICK_UP) this.#move(ints, action, chance);
    else if (!this.#changes(ints, action)) floats[0] = -10;
    else if (action === PICK_UP) ints[PASSENGER] = IN_TAXI;
    else {
      ints[PASSENGER] = PLACES.indexOf(ints[TAXI]!);
      if (ints[PASSENGER] !== ints[DESTINATION]) return;
      floats[0] = 20;
      ints[ENDED] = TERMINATED;
    }
  }

  /** In rain draws 0 … 9: 8 is to the left, 9 to the right, unless a wall is ahead. Then the fickle passenger's other place. */
  #move(ints: Int32Array, action: number, chance: Chance): void {
    const from = ints[TAXI]!;
    const drawn = this.#rainy ? chance.below(10) : 0;
    const open = this.#next[4 * from + action] !== from;
    const direction = !open || drawn < 8 ? action : drawn === 8 ? LEFT[action]! : RIGHT[action]!;
    ints[TAXI] = this.#next[4 * from + direction]!;
    if (ints[FICKLE] === 0 || ints[PASSENGER] !== IN_TAXI || ints[TAXI] === from) return;
    ints[FICKLE] = 0;
    ints[DESTINATION] = this.#elsewhere(ints[DESTINATION]!, chance);
  }

  observe({ ints }: State, _seat: number, out: Float64Array): void {
    out[0] = (5 * ints[TAXI]! + ints[PASSENGER]!) * 4 + ints[DESTINATION]!;
  }

  render({ ints }: State): string {
    const lines = MAP.map((line, row) =>
      Array.from(line, (char, at) => (at === 2 * (ints[TAXI]! - SIZE * row) + 1 ? "T" : char)).join(""),
    );
    const passenger = "RGYB"[ints[PASSENGER]!] ?? "in the taxi";
    return [FRAME, ...lines, FRAME, `passenger: ${passenger}, destination: ${"RGYB"[ints[DESTINATION]!]}`].join("\n");
  }

  actionName(action: number): string {
    return NAMES[action] ?? String(action);
  }
}

export const taxi: EnvironmentDefinition<typeof options> = {
  id: "taxi",
  version: 1,
  title: "Taxi",
  description:
    "One seat drives a taxi on a 5 × 5 map with walls, picks a passenger up at one of four places (R, G, Y, B) and drops him off at another " +
    "(+20, the end). Every other step costs 1, a pickup or dropoff that is not possible 10. Actions: 0 south, 1 north, 2 east, 3 west, " +
    "4 pickup, 5 dropoff. An observation is ((5 × row + column) × 5 + passenger) × 4 + destination, the passenger 4 in the taxi. With " +
    "action_mask, actions that change nothing are illegal. As Gymnasium's Taxi-v4.",
  options,
  make: (given) => new Taxi(given),
};
