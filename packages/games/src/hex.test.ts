import { expect, test } from "vitest";
import { readGoldens, replayGoldens } from "../testing/goldens.ts";
import { hex } from "./hex.ts";

const goldens = readGoldens("hex");

test("plays as OpenSpiel does, with the swap rule and without", () => {
  expect(new Set(goldens.map((section) => section.options.swap))).toEqual(new Set([true, false]));
  expect(replayGoldens(hex, goldens)).toEqual([]);
});
