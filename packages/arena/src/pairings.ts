/** Who meets whom, and in which seats. */
export interface Pairing {
  /** Counts from 0. */
  readonly round: number;
  /** Agents' indices, in the order of the seats. */
  readonly agents: readonly number[];
}

function choose(agents: readonly number[], seats: number): number[][] {
  if (seats === 0) return [[]];
  return agents.flatMap((agent, at) => choose(agents.slice(at + 1), seats - 1).map((rest) => [agent, ...rest]));
}

/**
 * A round robin: in each round every choice of agents meets once in each rotation of the seats, so that for two seats every
 * pair plays both seatings and nobody gains by sitting first. With one seat each agent plays alone.
 */
export function roundRobin(agents: number, seats: number, rounds: number): Pairing[] {
  const groups = choose(
    Array.from({ length: agents }, (_, agent) => agent),
    seats,
  );
  return Array.from({ length: rounds }, (_, round) =>
    groups.flatMap((group) =>
      group.map((_, turn) => ({ round, agents: [...group.slice(turn), ...group.slice(0, turn)] })),
    ),
  ).flat();
}
