import { expect, test } from "vitest";
import { readGoldens, replayGoldens } from "../testing/goldens.ts";
import { misprinted } from "../testing/mistakes.ts";
import { noChance, ScriptedChance, SeededChance } from "./chance.ts";
import { checkEnvironment } from "./conformance.ts";
import { makeEnvironment, OWN, type State } from "./environment.ts";
import { taxi } from "./taxi.ts";

const goldens = readGoldens("taxi");
const [SOUTH, NORTH, EAST, WEST, PICK_UP, DROP_OFF] = [0, 1, 2, 3, 4, 5] as const;

/** An episode begun with these outcomes, and what the actions gave in sum. */
function play(options: { readonly [name: string]: boolean }, outcomes: readonly number[], actions: readonly number[]) {
  const env = makeEnvironment(taxi, options);
  const state = env.newState();
  const chance = new ScriptedChance(outcomes);
  env.reset(state, chance);
  let total = 0;
  for (const action of actions) {
    env.step(state, action, state, chance);
    total += env.reward(state, 0);
  }
  expect(chance.taken).toBe(outcomes.length);
  return { env, state, total };
}

test("passes the conformance kit", () => {
  expect(checkEnvironment(taxi)).toEqual([]);
  expect(checkEnvironment(taxi, { is_rainy: true, fickle_passenger: true, action_mask: true })).toEqual([]);
});

test("plays as Gymnasium does, with every option", () => {
  expect(new Set(goldens.map((section) => JSON.stringify(section.options))).size).toBe(8);
  expect(replayGoldens(taxi, goldens)).toEqual([]);
});

test("begins in each of the 300 states in which the passenger waits and is not there yet, equally often", () => {
  const env = makeEnvironment(taxi);
  const state = env.newState();
  const chance = SeededChance.fromSeed(1);
  const counts = new Map<number, number>();
  const out = new Float64Array(1);
  for (let i = 0; i < 30_000; i++) {
    env.reset(state, chance);
    env.observe(state, 0, out);
    counts.set(out[0]!, (counts.get(out[0]!) ?? 0) + 1);
  }
  expect(counts.size).toBe(300);
  // Six standard deviations of a binomial with 30000 draws and p = 1/300: 60.
  for (const [seen, count] of counts) {
    const passenger = Math.floor(seen / 4) % 5;
    expect([passenger < 4, passenger !== seen % 4]).toEqual([true, true]);
    expect(Math.abs(count - 100)).toBeLessThan(60);
  }
});

test("the greatest returns that it names can be had", () => {
  const quick = play({}, [0, 0, 1], [PICK_UP, SOUTH, SOUTH, SOUTH, SOUTH, DROP_OFF]);
  expect([quick.env.terminated(quick.state), quick.total, quick.env.info.returnRange[1]]).toEqual([true, 15, 15]);
  const back = play({ fickle_passenger: true }, [0, 0, 1, 0, 0], [PICK_UP, SOUTH, NORTH, DROP_OFF]);
  expect([back.env.terminated(back.state), back.total, back.env.info.returnRange[1]]).toEqual([true, 17, 17]);
});

test("is truncated after 200 steps, with the least return if each of them is a wrong pickup", () => {
  const { env, state, total } = play({}, [12, 0, 0], new Array(200).fill(PICK_UP));
  expect([env.truncated(state), total, env.info.returnRange[0]]).toEqual([true, -2000, -2000]);
});

test("rain is mostly ahead, else to each side equally often, and nowhere along a wall", () => {
  const env = makeEnvironment(taxi, { is_rainy: true });
  const start = env.newState();
  const state = env.newState();
  const chance = SeededChance.fromSeed(1);
  const from = (cell: number, action: number): Map<number, number> => {
    env.reset(start, new ScriptedChance([cell, 0, 0]));
    const counts = new Map<number, number>();
    for (let i = 0; i < 3000; i++) {
      env.step(start, action, state, chance);
      counts.set(state.ints[OWN]!, (counts.get(state.ints[OWN]!) ?? 0) + 1);
    }
    return counts;
  };
  const free = from(12, NORTH);
  expect([...free.keys()].sort((a, b) => a - b)).toEqual([7, 11, 13]);
  // Six standard deviations of a binomial with 3000 draws and p = 1/10: 99.
  for (const side of [11, 13]) expect(Math.abs(free.get(side)! - 300)).toBeLessThan(99);
  expect([...from(1, EAST).keys()]).toEqual([1]);
  expect([...from(0, WEST).keys()]).toEqual([0]);
});

test("with its option, the mask is what changes something", () => {
  const legal = (state: State) => Array.from({ length: 6 }, (_, a) => a).filter((a) => masked.isLegal(state, 0, a));
  const { env: masked, state } = play({ action_mask: true }, [0, 0, 1], []);
  expect(legal(state)).toEqual([SOUTH, EAST, PICK_UP]);
  masked.step(state, PICK_UP, state, noChance);
  expect(legal(state)).toEqual([SOUTH, EAST, DROP_OFF]);
  masked.step(state, NORTH, state, noChance);
  expect([masked.terminated(state), masked.reward(state, 0)]).toEqual([true, -200]);
});

test("is drawn with the taxi on the map, and says where the passenger is and wants to go", () => {
  const { env, state } = play({}, [8, 0, 2], []);
  expect(env.render(state)).toBe(
    ["+---------+", "|R: | : :G|", "| : | :T: |", "| : : : : |", "| | : | : |", "|Y| : |B: |", "+---------+"]
      .concat(["passenger: R, destination: B"])
      .join("\n"),
  );
  const inside = play({}, [0, 0, 2], [PICK_UP]);
  expect(inside.env.render(inside.state)).toContain("|T: | : :G|");
  expect(inside.env.render(inside.state)).toContain("passenger: in the taxi, destination: B");
});

test.each([
  ["a wall", '"| : | : : |"', '"| : : : : |"'],
  ["walls that stop nobody", 'return side !== ":" ? cell', 'return side === "" ? cell'],
  ["where a place is", "[0, 4, 20, 23]", "[0, 4, 20, 24]"],
  ["the greatest reward", "floats[0] = 20;", "floats[0] = 19;"],
  ["what a wrong dropoff costs", "floats[0] = -10;", "floats[0] = action === PICK_UP ? -10 : -1;"],
  ["dropping the passenger anywhere", "PLACES.indexOf(taxi) >= 0", "true"],
  ["dropping nobody", "return passenger === IN_TAXI && PLACES", "return PLACES"],
  ["a dropoff elsewhere that ends the ride", "if (ints[PASSENGER] !== ints[DESTINATION]) return;", ""],
  [
    "rain from the other side",
    "drawn === 8 ? LEFT[action]! : RIGHT[action]!",
    "drawn === 8 ? RIGHT[action]! : LEFT[action]!",
  ],
  ["rain along a wall", "!open || drawn < 8", "drawn < 8"],
  [
    "rain on pickups",
    "if (action < PICK_UP) this",
    "if (this.#rainy) chance.below(10);\n    if (action < PICK_UP) this",
  ],
  ["a mind changed where the taxi stands", " || ints[TAXI] === from", ""],
  ["a mind changed outside", " || ints[PASSENGER] !== IN_TAXI", ""],
  ["a mind changed again and again", "    ints[FICKLE] = 0;\n", ""],
  ["a mind changed to the same place", "return drawn < place ? drawn : drawn + 1;", "return drawn;"],
  ["how often a passenger is fickle", "chance.below(10) < 3", "chance.below(10) < 4"],
  ["the mask of moves", "return this.#next[4 * taxi + action] !== taxi;", "return true;"],
  ["the mask without its option", "(!this.#masked || this", "(this"],
  [
    "the observation's order",
    "(5 * ints[TAXI]! + ints[PASSENGER]!) * 4 + ints[DESTINATION]!",
    "(4 * ints[TAXI]! + ints[DESTINATION]!) * 5 + ints[PASSENGER]!",
  ],
  ["the time limit", "MAX_STEPS = 200", "MAX_STEPS = 201"],
])("a mistake about %s is noticed", async (_name, right, wrong) => {
  expect(replayGoldens(await misprinted("taxi.ts", right, wrong), goldens)).not.toEqual([]);
});
