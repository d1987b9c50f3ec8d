import { expect, test } from "vitest";
import { readGoldens, replayGoldens } from "../testing/goldens.ts";
import { connectFour } from "./connect-four.ts";

const goldens = readGoldens("connect-four");

test("plays as OpenSpiel does", () => {
  expect(goldens.length).toBeGreaterThan(0);
  expect(replayGoldens(connectFour, goldens)).toEqual([]);
});
