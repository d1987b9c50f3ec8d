import { expect, test } from "vitest";
import { readGoldens, replayGoldens } from "../testing/goldens.ts";
import { misprinted } from "../testing/mistakes.ts";
import { perft } from "../testing/perft.ts";
import { noChance } from "./chance.ts";
import { checkEnvironment } from "./conformance.ts";
import { makeEnvironment } from "./environment.ts";
import { othello } from "./othello.ts";

const goldens = readGoldens("othello");
const env = makeEnvironment(othello);

test("plays as OpenSpiel does", () => {
  expect(goldens.length).toBeGreaterThan(0);
  expect(replayGoldens(othello, goldens)).toEqual([]);
});

test("has as many openings as Aart Bik counted (https://aartbik.blogspot.com/2009/02/perft-for-reversi.html)", () => {
  const table = [4, 12, 56, 244, 1396, 8200, 55092, 390216, 3005288];
  expect(table.map((_, index) => perft(env, index + 1))).toEqual(table);
});

test("passes the conformance kit", () => {
  expect(checkEnvironment(othello)).toEqual([]);
});

test("the games compared have passes in them", () => {
  const passes = goldens.flatMap((section) =>
    section.episodes.flatMap((episode) => episode.statements.filter((statement) => statement.actions?.[0] === 64)),
  );
  expect(passes.length).toBeGreaterThan(0);
});

test.each([
  ["a direction without turning over", "  { by: 9, guard: NOT_FIRST },\n", ""],
  ["lines around the edge", "{ by: 7, guard: NOT_LAST }", "{ by: 7, guard: -1 }"],
  ["turning over lines with no end", "if (((low & ints[own]!) | (high & ints[own + 1]!)) === 0) continue;", ""],
  ["discs that both seats have", "ints[other] = ints[other]! & ~turnedLow;", ""],
  ["long lines", "for (let i = 0; i < 5 &&", "for (let i = 0; i < 3 &&"],
  ["the end before a pass", "      this.#findMoves(ints, seat);\n      if (!hasMoves(ints)) {", "      {"],
  ["passing with moves left", "if (action === PASS) return !hasMoves(ints);", "if (action === PASS) return true;"],
  ["the pass in the mask", "mask[PASS] = (low | high) === 0 ? 1 : 0", "mask[PASS] = 0"],
  ["the loser", "floats[0] = lead > 0 ? 1 : -1;", "floats[0] = lead > 0 ? -1 : 1;"],
  ["the other's discs", "disc(state.ints, 1 - seat, cell)", "1 - disc(state.ints, seat, cell)"],
  ["the first position", "ints[DISCS] = 1 << (24 + 4);", "ints[DISCS] = 1 << (24 + 3);"],
])("a mistake about %s is noticed", async (_name, right, wrong) => {
  const mistaken = await misprinted("othello.ts", right, wrong);
  expect([...replayGoldens(mistaken, goldens), ...checkEnvironment(mistaken)]).not.toEqual([]);
});

test("shows the board, and to each seat its own discs first", () => {
  const state = env.newState();
  env.reset(state, noChance);
  env.step(state, 19, state, noChance);
  expect(env.render(state)).toBe(
    ["  a b c d e f g h", "1 . . . . . . . .", "2 . . . . . . . .", "3 . . . X . . . .", "4 . . . X X . . ."]
      .concat(["5 . . . X O . . .", "6 . . . . . . . .", "7 . . . . . . . .", "8 . . . . . . . ."])
      .join("\n"),
  );
  const out = new Float64Array(env.observationSize());
  const places = (seat: number) => {
    env.observe(state, seat, out);
    return Array.from(out.keys()).filter((i) => out[i] === 1);
  };
  expect(places(0)).toEqual([2 * 19, 2 * 27, 2 * 28, 2 * 35, 2 * 36 + 1]);
  expect(places(1)).toEqual([2 * 19 + 1, 2 * 27 + 1, 2 * 28 + 1, 2 * 35 + 1, 2 * 36]);
});
