import type { EnvironmentDefinition } from "./environment.ts";
import { ticTacToe } from "./tic-tac-toe.ts";

/** Every built-in environment, by id. */
export const environments: ReadonlyMap<string, EnvironmentDefinition> = new Map(
  [ticTacToe as EnvironmentDefinition].map((definition) => [definition.id, definition]),
);
