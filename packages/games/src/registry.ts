import { blackjack } from "./blackjack.ts";
import { breakthrough } from "./breakthrough.ts";
import { cartPole } from "./cart-pole.ts";
import { connectFour } from "./connect-four.ts";
import type { EnvironmentDefinition } from "./environment.ts";
import { frozenLake } from "./frozen-lake.ts";
import { hex } from "./hex.ts";
import { kuhnPoker } from "./kuhn-poker.ts";
import { leducPoker } from "./leduc-poker.ts";
import { othello } from "./othello.ts";
import { pong } from "./pong.ts";
import { rockPaperScissors } from "./rock-paper-scissors.ts";
import { taxi } from "./taxi.ts";
import { ticTacToe } from "./tic-tac-toe.ts";

const all: readonly EnvironmentDefinition[] = [
  hex,
  connectFour,
  ticTacToe,
  othello,
  breakthrough,
  pong,
  rockPaperScissors,
  kuhnPoker,
  leducPoker,
  blackjack,
  frozenLake,
  taxi,
  cartPole,
];

/** Every built-in environment, by id. */
export const environments: ReadonlyMap<string, EnvironmentDefinition> = new Map(
  all.map((definition) => [definition.id, definition]),
);
