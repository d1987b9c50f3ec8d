import { describe, expect, test } from "vitest";
import type { Space } from "../episodes/spaces.ts";
import { readTurn } from "./turn.ts";

const box: Space = { type: "Box", shape: [2], dtype: "float64", low: [-1, -1], high: [1, 1] } as Space;
const views = [{ action: { type: "Discrete", n: 3 } as Space, observation: box, masked: true }] as never;
const turn = (more: string): Record<string, unknown> =>
  JSON.parse(`{"actors":[0],"seen":[[0,1]],"masks":[[1,0,1]],"rewards":[0.5],"ends":[null]${more}}`);

test("a turn is read, its odd numbers as agents are told them", () => {
  expect(readTurn(turn(""), views)).toMatchObject({ actors: 1, seen: ["[0,1]"], rewards: [0.5], ends: [null] });
  expect(readTurn(turn(',"seen":[["NaN","-Infinity"]]'), views).seen).toEqual(['["NaN","-Infinity"]']);
  expect(readTurn(turn(',"seen":[[-0.0,1]]'), views).seen).toEqual(["[-0.0,1]"]);
});

describe("refused is", () => {
  test.each([
    // JSON.parse makes Infinity of it, which no JSON can hold.
    ["a reward past all numbers", ',"rewards":[1e999]', "no finite number"],
    ["one below them", ',"rewards":[-1e999]', "no finite number"],
    ["one as text", ',"rewards":["Infinity"]', "no finite number"],
    ["an observation past all numbers", ',"seen":[[1e999,0]]', "too large"],
    ["one with a text", ',"seen":[["1",0]]', "is no number"],
    ["one too short", ',"seen":[[0]]', "not a list of 2"],
    ["a seat that there is not", ',"actors":[1]', "names a seat"],
    ["one who is to act and sees nothing", ',"seen":[null]', "sees nothing"],
    ["one who has ended and is to act", ',"ends":["terminated"]', "has ended"],
    ["nobody to act before the end", ',"actors":[]', "nobody is to act"],
    ["a mask that leaves nothing", ',"masks":[[0,0,0]]', "leaves no action"],
    ["a mask of something else", ',"masks":[[1,2,0]]', "not 3 times 0 or 1"],
  ])("%s", (_, more, why) => {
    expect(() => readTurn(turn(more), views)).toThrow(why);
  });
});
