/**
 * Everything random in a match comes from one seed, an integer in 0 … 2^53 − 1, by HMAC-SHA-256 with the seed as key and a
 * label as message: the environment's chance, each seat's own seed, the substitute actions. An agent that knows its own
 * seed can compute nothing else from it but by trying every match seed; so a small seed, picked by hand, can be guessed,
 * and contests leave the seed to its default, which is drawn at random.
 */
import { createHmac, randomBytes } from "node:crypto";
import { SeededChance } from "@lanista/games/chance";

const MAX_SEED = Number.MAX_SAFE_INTEGER;

/** The two 32-bit words of a SeededChance. */
export type ChanceKey = readonly [number, number];

/** Says whether `value` can be a match's seed. */
export function isSeed(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function to53(bytes: Buffer): number {
  return Number(bytes.readBigUInt64BE(0) >> 11n);
}

function derive(seed: number, label: string): Buffer {
  if (!isSeed(seed)) throw new RangeError(`a seed is an integer in 0 … ${MAX_SEED}, not ${seed}`);
  const key = Buffer.alloc(8);
  key.writeBigUInt64BE(BigInt(seed));
  return createHmac("sha256", key).update(`lanista/1/${label}`).digest();
}

function keyOf(bytes: Buffer): ChanceKey {
  return [bytes.readUInt32BE(0), bytes.readUInt32BE(4)];
}

/** A seed from the operating system's randomness. */
export function randomSeed(): number {
  return to53(randomBytes(8));
}

/** The environment's randomness; episode `e` draws from its `split(e)`. */
export function chanceKey(seed: number): ChanceKey {
  return keyOf(derive(seed, "chance"));
}

/** The seed a seat is told, an integer in 0 … 2^53 − 1. */
export function seatSeed(seed: number, seat: number): number {
  return to53(derive(seed, `seat/${seat}`));
}

/** The seed of one match of a tournament; `label` names the match within it. */
export function matchSeed(tournamentSeed: number, label: string): number {
  return to53(derive(tournamentSeed, `match/${label}`));
}

/** The streams that substitute actions come from: one for an (episode, step, seat), whatever was drawn before. */
export class SubstituteActions {
  readonly #root: SeededChance;

  constructor(seed: number) {
    const [k0, k1] = keyOf(derive(seed, "substitute"));
    this.#root = new SeededChance(k0, k1);
  }

  draw(episode: number, step: number, seat: number): SeededChance {
    return this.#root.split(episode).split(step).split(seat);
  }
}
