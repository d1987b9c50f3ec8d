import { describe, expect, test } from "vitest";
import { readGoldens, replayGoldens } from "../testing/goldens.ts";
import { misprinted } from "../testing/mistakes.ts";
import { noChance } from "./chance.ts";
import { checkEnvironment } from "./conformance.ts";
import { type Environment, makeEnvironment, type State } from "./environment.ts";
import { hex } from "./hex.ts";

const goldens = readGoldens("hex");

test("passes the conformance kit", () => {
  expect(checkEnvironment(hex)).toEqual([]);
  expect(checkEnvironment(hex, { size: 3, swap: true })).toEqual([]);
});

test("plays as OpenSpiel does, with the swap rule and without", () => {
  expect(new Set(goldens.map((section) => section.options.swap))).toEqual(new Set([true, false]));
  expect(goldens.some((section) => section.perft.length > 0)).toBe(true);
  expect(replayGoldens(hex, goldens)).toEqual([]);
});

test.each([
  ["a direction that does not connect", "        [row - 1, column + 1],\n", "        [row, column],\n"],
  ["edges of the wrong seat", "column === size - 1 ? FAR : 0", "row === size - 1 ? FAR : 0"],
  ["a chain that does not hand its edge on", "if (flags !== 0) this.#spread", "if (flags > 99) this.#spread"],
  [
    "a chain that hands its edge on to the other seat's stones",
    "if (ints[OWN + to] !== stone) continue;",
    "if (ints[OWN + to]! % 4 === 0 || ints[OWN + to]! & flag) continue;",
  ],
  [
    "a swap that does not mirror",
    "return (cell % this.#size) * this.#size + Math.floor(cell / this.#size);",
    "return cell;",
  ],
  ["a swap that leaves the first stone", "    ints[OWN + cell] = 0;\n", ""],
  ["a swap at any time", "this.#swap && state.ints[STEPS] === 1", "this.#swap"],
  [
    "a stone shown as the other seat's",
    "out[2 * cell] = stone === STONE + seat",
    "out[2 * cell] = stone > STONE + seat",
  ],
  ["a swap that is not offered", "mask[this.#cells] = this.#maySwap(state) ? 1 : 0", "mask[this.#cells] = 0"],
])("%s is noticed", async (_name, right, wrong) => {
  expect(replayGoldens(await misprinted("hex.ts", right, wrong), goldens)).not.toEqual([]);
});

/** Plays actions by name from the start. */
function play(env: Environment, ...moves: string[]): State {
  const state = env.newState();
  env.reset(state, noChance);
  const names = Array.from({ length: env.info.actions }, (_, action) => env.actionName(action));
  for (const move of moves) env.step(state, names.indexOf(move), state, noChance);
  return state;
}

describe("what is seen", () => {
  const env = makeEnvironment(hex, { size: 3, swap: true });

  test("text", () => {
    expect(env.render(play(env, "b1", "a3", "c2"))).toBe(
      ["   a b c   X: top to bottom, O: left to right", " 1 . X .", "  2 . . X", "   3 O . ."].join("\n"),
    );
  });

  test("each seat's own stones come first", () => {
    const state = play(env, "b1", "a3");
    const seen = (seat: number) => {
      const out = new Float64Array(env.observationSize());
      env.observe(state, seat, out);
      return Array.from(out).join("");
    };
    expect(seen(0)).toBe("001000000000010000");
    expect(seen(1)).toBe("000100000000100000");
  });

  test("a swap gives the second seat the mirrored stone, and the turn back to the first", () => {
    const state = play(env, "c1", "swap");
    expect(env.render(state)).toContain("   3 O . .");
    expect(env.seatToAct(state)).toBe(0);
    expect(env.isLegal(state, 0, 2)).toBe(true);
    expect(env.isLegal(state, 0, 9)).toBe(false);
  });
});
