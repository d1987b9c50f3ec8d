/**
 * Interleaved rounds: every contestant runs once in each round, so a slow minute of a shared machine falls on all of them.
 * The order is turned round every other round, for what the first of a round leaves behind for the next.
 */
export interface Contestant {
  readonly name: string;
  /** One sample. Throws where something of ours is broken; contestants that cannot be had here are not entered. */
  readonly run: () => Promise<number>;
}

/** Samples by name, in the order given. One round beforehand warms caches and compilers and is thrown away. */
export async function interleave(
  contestants: readonly Contestant[],
  rounds: number,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const samples = new Map<string, number[]>(contestants.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const { name, run } of round % 2 === 0 ? contestants : [...contestants].reverse()) {
      const sample = await run();
      if (round > 0) samples.get(name)!.push(sample);
    }
  }
  return samples;
}

/** Rounds asked for by BENCH_SCALE: 1 as written, 0.2 for a quick look; never less than one. */
export function scaled(rounds: number): number {
  return Math.max(1, Math.round(rounds * Number(process.env.BENCH_SCALE ?? 1)));
}
