import { expect, test } from "vitest";
import { readGoldens, replayGoldens } from "../testing/goldens.ts";
import { perft } from "../testing/perft.ts";
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
