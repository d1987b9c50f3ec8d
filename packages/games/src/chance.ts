/**
 * Explicit, splittable randomness. An environment never draws on its own: it is handed a Chance.
 *
 * SeededChance is Threefry-2x32 with 20 rounds (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1,
 * 2, 3", SC 2011), the counter-based generator that JAX uses too: a stream is a 64-bit key, so splitting is making a key.
 */
export interface Chance {
  /** An integer in 0 … n − 1, uniform. n is in 1 … 2^32. */
  below(n: number): number;
  /** A double in [low, high), uniform, from 53 random bits; high itself only where rounding leads to it. */
  uniform(low: number, high: number): number;
}

const R = [13, 15, 26, 6, 17, 29, 16, 24] as const;
const PARITY = 0x1bd11bda;

/** One block: counter (c0, c1) under key (k0, k1); writes two 32-bit words to out[0] and out[1]. */
export function threefry2x32(k0: number, k1: number, c0: number, c1: number, out: Uint32Array): void {
  const k2 = PARITY ^ k0 ^ k1;
  let x0 = (c0 + k0) | 0;
  let x1 = (c1 + k1) | 0;
  for (let group = 0; group < 5; group++) {
    const base = (group & 1) << 2;
    for (let i = 0; i < 4; i++) {
      const r = R[base + i]!;
      x0 = (x0 + x1) | 0;
      x1 = ((x1 << r) | (x1 >>> (32 - r))) ^ x0;
    }
    const a = (group + 1) % 3;
    const b = (group + 2) % 3;
    x0 = (x0 + (a === 0 ? k0 : a === 1 ? k1 : k2)) | 0;
    x1 = (x1 + (b === 0 ? k0 : b === 1 ? k1 : k2) + group + 1) | 0;
  }
  out[0] = x0;
  out[1] = x1;
}

const TWO_POW_MINUS_53 = 1 / 9007199254740992;
const DRAW = 0;
const SPLIT = 1;

export class SeededChance implements Chance {
  readonly #block = new Uint32Array(2);
  readonly #k0: number;
  readonly #k1: number;
  #counter = 0;
  #spare = false;

  /** The key is two 32-bit words. */
  constructor(k0: number, k1: number) {
    this.#k0 = k0 | 0;
    this.#k1 = k1 | 0;
  }

  /** A stream from a seed: an integer in 0 … 2^53 − 1. Throws a RangeError on anything else. */
  static fromSeed(seed: number): SeededChance {
    if (!Number.isSafeInteger(seed) || seed < 0)
      throw new RangeError(`a seed is an integer in 0 … 2^53 − 1, not ${seed}`);
    return new SeededChance(seed >>> 0, Math.floor(seed / 4294967296));
  }

  /** An independent stream, the same for the same index, however much was drawn from this one. index in 0 … 2^32 − 1. */
  split(index: number): SeededChance {
    const out = new Uint32Array(2);
    threefry2x32(this.#k0, this.#k1, index >>> 0, SPLIT << 30, out);
    return new SeededChance(out[0]!, out[1]!);
  }

  #word(): number {
    if (this.#spare) {
      this.#spare = false;
      return this.#block[1]!;
    }
    const n = this.#counter++;
    threefry2x32(this.#k0, this.#k1, n >>> 0, (Math.floor(n / 4294967296) & 0x3fffffff) | (DRAW << 30), this.#block);
    this.#spare = true;
    return this.#block[0]!;
  }

  below(n: number): number {
    // Lemire's bound would need 64-bit products; rejection on the top is exact and, for small n, almost never repeats.
    const limit = 4294967296 - (4294967296 % n);
    let word = this.#word();
    while (word >= limit) word = this.#word();
    return word % n;
  }

  uniform(low: number, high: number): number {
    const a = this.#word() >>> 5;
    const b = this.#word() >>> 6;
    return low + (high - low) * ((a * 67108864 + b) * TWO_POW_MINUS_53);
  }
}

/** Hands out given outcomes in order: for comparing with other implementations, where chance is injected. */
export class ScriptedChance implements Chance {
  #next = 0;
  readonly #outcomes: readonly number[];

  constructor(outcomes: readonly number[]) {
    this.#outcomes = outcomes;
  }

  #take(what: string, ok: (value: number) => boolean): number {
    const value = this.#outcomes[this.#next];
    if (value === undefined) throw new RangeError(`the script of chance outcomes ended after ${this.#next}`);
    if (!ok(value)) throw new RangeError(`scripted outcome ${value} is not in ${what}`);
    this.#next++;
    return value;
  }

  below(n: number): number {
    return this.#take(`0 … ${n - 1}`, (value) => Number.isInteger(value) && value >= 0 && value < n);
  }

  uniform(low: number, high: number): number {
    return this.#take(`[${low}, ${high})`, (value) => value >= low && value <= high);
  }

  /** How many outcomes were taken. */
  get taken(): number {
    return this.#next;
  }
}

/** For rules without chance: any draw is a mistake in the rules. */
export const noChance: Chance = {
  below() {
    throw new Error("these rules were declared free of chance, but drew an integer");
  },
  uniform() {
    throw new Error("these rules were declared free of chance, but drew a real");
  },
};
