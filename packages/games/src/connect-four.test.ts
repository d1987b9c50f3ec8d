import { expect, test } from "vitest";
import { readGoldens, replayGoldens } from "../testing/goldens.ts";
import { misprinted } from "../testing/mistakes.ts";
import { distinctStates } from "../testing/perft.ts";
import { noChance } from "./chance.ts";
import { checkEnvironment } from "./conformance.ts";
import { connectFour } from "./connect-four.ts";
import { makeEnvironment, OWN } from "./environment.ts";

const goldens = readGoldens("connect-four");
const env = makeEnvironment(connectFour);

test("passes the conformance kit", () => {
  expect(checkEnvironment(connectFour)).toEqual([]);
});

test("plays as OpenSpiel does", () => {
  expect(new Set(goldens.map((section) => JSON.stringify(section.options))).size).toBeGreaterThan(1);
  expect(goldens.some((section) => section.perft.length > 0)).toBe(true);
  expect(replayGoldens(connectFour, goldens)).toEqual([]);
});

test("has as many positions after n plies as https://oeis.org/A212693 says", () => {
  const table = [1, 7, 49, 238, 1120, 4263, 16422, 54859];
  const discs = (state: { ints: Int32Array }) => state.ints.subarray(OWN).join();
  expect(table.map((_, plies) => distinctStates(env, plies, discs))).toEqual(table);
});

// One name a line of four that is missed, or that is not one.
test.each([
  ["a column", "if (fourUpwards(ints[own + action]!)) return true;", ""],
  ["a row", "(a & b & c & d) |", ""],
  ["the falling diagonal", " | (a & (b << 1) & (c << 2) & (d << 3))", ""],
  ["the rising diagonal", "(a & (b >> 1) & (c >> 2) & (d >> 3)) | ", ""],
  ["three in a row", "(a & b & c & d)", "(a & b & c)"],
  ["a line at the right edge", "this.#columns - 4)", "this.#columns - 5)"],
  ["a line that ends where the disc fell", "Math.max(action - 3, 0)", "Math.max(action - 2, 0)"],
  ["the draw on a full board", "ints[STEPS] === this.#rows * columns", "ints[STEPS] === this.#rows * columns + 1"],
  [
    "which row is on top",
    "for (let row = this.#rows - 1; row >= 0; row--)\n      for",
    "for (let row = 0; row < this.#rows; row++)\n      for",
  ],
  ["the full column", "(1 << rows) - 1", "(2 << rows) - 1"],
])("a mistake about %s is noticed", async (_name, right, wrong) => {
  expect(replayGoldens(await misprinted("connect-four.ts", right, wrong), goldens)).not.toEqual([]);
});

test("shows the top row first, in text and to both seats", () => {
  const state = env.newState();
  env.reset(state, noChance);
  for (const column of [3, 3, 0]) env.step(state, column, state, noChance);
  expect(env.render(state).split("\n").slice(-3)).toEqual([". . . O . . .", "X . . X . . .", "a b c d e f g"]);
  const out = new Float64Array(env.observationSize());
  const places = (seat: number) => {
    env.observe(state, seat, out);
    return Array.from(out.keys()).filter((i) => out[i] === 1);
  };
  const at = (row: number, column: number, whose: number) => (row * 7 + column) * 2 + whose;
  expect(places(0)).toEqual([at(4, 3, 1), at(5, 0, 0), at(5, 3, 0)]);
  expect(places(1)).toEqual([at(4, 3, 0), at(5, 0, 1), at(5, 3, 1)]);
});
