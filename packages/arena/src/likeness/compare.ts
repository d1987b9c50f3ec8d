/** Which of many texts are alike, by the fingerprints they share. */

export interface Fingerprinted {
  readonly id: string;
  readonly prints: ReadonlySet<number>;
}

export interface Alike {
  readonly a: string;
  readonly b: string;
  /** 0 … 1: what they share, of what the one with less has. */
  readonly likeness: number;
  /** Fingerprints. */
  readonly shared: number;
}

/** Texts with less of their own tell nothing. */
const LEAST_PRINTS = 8;
/** What more of them have than this, and than a tenth, is everybody's: a common idiom, or what the task asks for. */
const COMMON = 10;

/** The most alike first, at most `most` pairs of at least `least`. What is in `given` counts for nobody. */
export function alikePairs(
  texts: readonly Fingerprinted[],
  given: ReadonlySet<number>,
  { most = 500, least = 0.2 }: { readonly most?: number; readonly least?: number } = {},
): readonly Alike[] {
  const holders = new Map<number, number[]>();
  for (const [at, { prints }] of texts.entries())
    for (const print of prints) {
      if (given.has(print)) continue;
      const those = holders.get(print);
      if (those === undefined) holders.set(print, [at]);
      else those.push(at);
    }
  const own = new Uint32Array(texts.length);
  const shared = new Map<number, number>();
  const bound = Math.max(COMMON, Math.ceil(texts.length / 10));
  for (const those of holders.values()) {
    if (those.length > bound) continue;
    for (const [i, a] of those.entries()) {
      own[a] = own[a]! + 1;
      for (const b of those.slice(i + 1)) {
        const pair = a * texts.length + b;
        shared.set(pair, (shared.get(pair) ?? 0) + 1);
      }
    }
  }
  const pairs: Alike[] = [];
  for (const [pair, count] of shared) {
    const [a, b] = [Math.floor(pair / texts.length), pair % texts.length];
    const smaller = Math.min(own[a]!, own[b]!);
    if (smaller < LEAST_PRINTS || count / smaller < least) continue;
    pairs.push({ a: texts[a]!.id, b: texts[b]!.id, likeness: count / smaller, shared: count });
  }
  return pairs.sort((x, y) => y.likeness - x.likeness || y.shared - x.shared).slice(0, most);
}
