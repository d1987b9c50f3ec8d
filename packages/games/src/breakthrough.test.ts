import { expect, test } from "vitest";
import { readGoldens, replayGoldens } from "../testing/goldens.ts";
import { misprinted } from "../testing/mistakes.ts";
import { breakthrough } from "./breakthrough.ts";
import { noChance } from "./chance.ts";
import { checkEnvironment } from "./conformance.ts";
import { makeEnvironment } from "./environment.ts";

const goldens = readGoldens("breakthrough");

test("passes the conformance kit", () => {
  expect(checkEnvironment(breakthrough)).toEqual([]);
  expect(checkEnvironment(breakthrough, { rows: 3, columns: 2 })).toEqual([]);
});

// No table of perft counts has been published; those compared here are OpenSpiel's.
test("plays as OpenSpiel does, on boards with one row of pieces a seat and with two", () => {
  const rows = goldens.map((section) => section.options.rows as number);
  expect([Math.min(...rows) < 6, Math.max(...rows) >= 6]).toEqual([true, true]);
  expect(goldens.some((section) => section.perft.length > 0)).toBe(true);
  expect(replayGoldens(breakthrough, goldens)).toEqual([]);
});

test.each([
  [
    "taking straight ahead",
    "to === column ? ints[own + ahead]! | ints[other + ahead]! : ints[own + ahead]!",
    "ints[own + ahead]!",
  ],
  [
    "taking one's own",
    "free = onBoard ? this.#full & ~ints[OWN + seat * rows + next]! : 0",
    "free = onBoard ? this.#full : 0",
  ],
  [
    "pieces that only move to the side in order to take",
    "const left = own & (free << 1)",
    "const left = own & ((free & ~empty) << 1)",
  ],
  ["a step off the board", "if (to < 0 || to >= columns) return false;", ""],
  ["the mask's sides", "const right = own & (free >> 1)", "const right = own & (free << 1)"],
  ["which way is up", "const next = row + 1 - 2 * seat;", "const next = row + 1;"],
  ["a piece that stays where it was", "ints[own + row] = ints[own + row]! & ~(1 << column);", ""],
  ["a piece that is not taken", "ints[other + next] = ints[other + next]! & ~bit;", ""],
  ["the opposite row", "seat === 0 ? rows - 1 : 0", "seat === 0 ? rows - 2 : 0"],
  ["the last piece", " || this.#bare(ints, other)", ""],
  ["the loser", "floats[1 - seat] = -1;", ""],
  ["how many rows are filled", "TWO_ROWS_FROM = 6", "TWO_ROWS_FROM = 5"],
  ["which pieces are one's own", "ints[OWN + (1 - seat) * rows + row]! >> column", "ints[OWN + rows + row]! >> column"],
])("a mistake about %s is noticed", async (_name, right, wrong) => {
  const mistaken = await misprinted("breakthrough.ts", right, wrong);
  expect([...replayGoldens(mistaken, goldens), ...checkEnvironment(mistaken)]).not.toEqual([]);
});

test("takes diagonally, and shows the top row first, in text and to both seats", () => {
  const env = makeEnvironment(breakthrough, { rows: 5, columns: 3 });
  const state = env.newState();
  env.reset(state, noChance);
  const names = Array.from({ length: env.info.actions }, (_, action) => env.actionName(action));
  for (const name of ["b5-b", "a1-a", "b4-b", "a2-b"]) env.step(state, names.indexOf(name), state, noChance);
  expect(env.render(state)).toBe(
    ["   a b c   X: downwards, O: upwards", " 5 X . X", " 4 . . .", " 3 . O .", " 2 . . .", " 1 . O O"].join("\n"),
  );
  expect(env.isLegal(state, 0, names.indexOf("a5-off"))).toBe(false);
  const out = new Float64Array(env.observationSize());
  const places = (seat: number) => {
    env.observe(state, seat, out);
    return Array.from(out.keys()).filter((i) => out[i] === 1);
  };
  expect(places(0)).toEqual([0, 4, 2 * 7 + 1, 2 * 13 + 1, 2 * 14 + 1]);
  expect(places(1)).toEqual([1, 5, 2 * 7, 2 * 13, 2 * 14]);
});
