/**
 * A promise of time that a starved host may break now and then, and a mistake breaks always: the least of what `once` gives
 * in up to three tries, with no further one after the first that is below `bound`.
 */
export async function soonest(bound: number, once: (attempt: number) => Promise<number>): Promise<number> {
  let least = Infinity;
  for (let attempt = 0; attempt < 3 && least >= bound; attempt++) least = Math.min(least, await once(attempt));
  return least;
}
