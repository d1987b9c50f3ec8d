/**
 * Winnowing: S. Schleimer, D. S. Wilkerson, A. Aiken, "Winnowing: Local Algorithms for Document Fingerprinting", SIGMOD 2003. Of all
 * runs of GRAM tokens each window of WINDOW picks the one with the least hash, the rightmost of equals. So two texts that share
 * GRAM + WINDOW − 1 tokens in a row share a fingerprint, wherever these stand; and what is shorter than GRAM is never found.
 */
const GRAM = 12;
const WINDOW = 9;

/** Tokens in a row that are found for certain. */
export const CERTAIN = GRAM + WINDOW - 1;

const BASE = 0x01000193;

/** The fingerprints of a text: 32-bit hashes. */
export function fingerprints(tokens: readonly string[]): Set<number> {
  const hashes = gramHashes(tokens);
  const picked = new Set<number>();
  if (hashes.length <= WINDOW) {
    if (hashes.length > 0) picked.add(hashes[leastOf(hashes, 0, hashes.length)]!);
    return picked;
  }
  let least = -1;
  for (let start = 0; start + WINDOW <= hashes.length; start++) {
    const last = start + WINDOW - 1;
    if (least < start) least = leastOf(hashes, start, last + 1);
    else if (hashes[last]! <= hashes[least]!) least = last;
    picked.add(hashes[least]!);
  }
  return picked;
}

/** The rightmost of the least. */
function leastOf(hashes: Uint32Array, from: number, to: number): number {
  let least = from;
  for (let at = from + 1; at < to; at++) if (hashes[at]! <= hashes[least]!) least = at;
  return least;
}

/** Of each run of GRAM tokens, rolled on by one token at a time, and mixed: the rolling sum alone keeps like runs close together. */
function gramHashes(tokens: readonly string[]): Uint32Array {
  const values = Uint32Array.from(tokens, tokenHash);
  if (values.length < GRAM) return new Uint32Array(0);
  let power = 1;
  for (let i = 1; i < GRAM; i++) power = Math.imul(power, BASE);
  const hashes = new Uint32Array(values.length - GRAM + 1);
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    if (i >= GRAM) sum = (sum - Math.imul(values[i - GRAM]!, power)) | 0;
    sum = (Math.imul(sum, BASE) + values[i]!) | 0;
    if (i >= GRAM - 1) hashes[i - GRAM + 1] = mixed(sum);
  }
  return hashes;
}

/** FNV-1a. */
function tokenHash(token: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < token.length; i++) hash = Math.imul(hash ^ token.charCodeAt(i), BASE);
  return mixed(hash);
}

function mixed(value: number): number {
  let hash = value ^ (value >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
