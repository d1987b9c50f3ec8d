import { expect, test } from "vitest";
import { environments } from "./registry.ts";

test("holds the built-in environments under their own ids", () => {
  expect([...environments.keys()].sort()).toEqual([
    "blackjack",
    "breakthrough",
    "cart-pole",
    "connect-four",
    "frozen-lake",
    "hex",
    "kuhn-poker",
    "leduc-poker",
    "othello",
    "pong",
    "rock-paper-scissors",
    "taxi",
    "tic-tac-toe",
  ]);
  for (const [id, definition] of environments) expect(definition.id).toBe(id);
});
