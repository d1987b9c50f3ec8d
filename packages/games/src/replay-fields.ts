/** Strict reading of a replay's values: each either has the form it must have, or the line is refused. */
import { MAX_REPLAY_STEPS } from "./replay-limits.ts";
import type { BySeat, ReplayHeader } from "./replay-types.ts";
import { REPLAY_FORMAT, ReplayError } from "./replay-types.ts";

const MAX_SEATS = 31;
const MAX_TEXT = 1000;

/** Throws ReplayError. */
export function refuse(line: number, message: string): never {
  throw new ReplayError(line, message);
}

/** The keys are those of `required`, and perhaps of `optional`. */
export function readFields(
  raw: Record<string, unknown>,
  line: number,
  required: readonly string[],
  optional: readonly string[] = [],
): void {
  for (const key of required) if (!Object.hasOwn(raw, key)) refuse(line, `"${key}" is missing`);
  for (const key of Object.keys(raw))
    if (!required.includes(key) && !optional.includes(key))
      refuse(line, `unknown key ${JSON.stringify(key.slice(0, 40))}`);
}

export function readBySeat<T>(
  value: unknown,
  seats: number,
  accepts: (one: unknown) => one is T,
  line: number,
  what: string,
): BySeat<T> {
  if (!Array.isArray(value) || value.length !== seats)
    return refuse(line, `${what} must have one value for each of ${seats} seats`);
  for (const one of value) if (one !== null && !accepts(one)) refuse(line, `${what} holds a value it cannot hold`);
  return value as BySeat<T>;
}

export function readNumbers(value: unknown, seats: number, line: number, what: string): readonly number[] {
  if (!Array.isArray(value) || value.length !== seats || !value.every((one) => Number.isFinite(one)))
    return refuse(line, `${what} must be ${seats} numbers`);
  return value as number[];
}

export function readText(value: unknown, line: number, what: string): string {
  if (typeof value !== "string" || value.length > MAX_TEXT)
    return refuse(line, `${what} must be a text of at most ${MAX_TEXT} characters`);
  return value;
}

/** A SHA-256 in hexadecimal. */
export function readHash(value: unknown, line: number): string {
  const text = readText(value, line, "a hash");
  return /^[0-9a-f]{64}$/.test(text) ? text : refuse(line, "a hash must be 64 hexadecimal digits");
}

function readInteger(value: unknown, least: number, most: number, what: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > most)
    return refuse(1, `${what} must be an integer in ${least} … ${most}`);
  return value as number;
}

function readSeconds(value: unknown, what: string): number {
  if (typeof value !== "number" || !Number.isFinite(value) || value < 0) return refuse(1, `${what} must be seconds`);
  return value;
}

function readObject(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return refuse(1, `${what} must be an object`);
  return value as Record<string, unknown>;
}

function readOptions(value: unknown): Record<string, number | boolean | string> {
  const options = readObject(value, '"options"');
  for (const [name, one] of Object.entries(options))
    if (
      !(
        typeof one === "boolean" ||
        (typeof one === "number" && Number.isFinite(one)) ||
        (typeof one === "string" && one.length <= MAX_TEXT)
      )
    )
      refuse(1, `option ${JSON.stringify(name.slice(0, 40))} must be a number, true, false or a short text`);
  return options as Record<string, number | boolean | string>;
}

export function readHeader(raw: Record<string, unknown>): ReplayHeader {
  if (!Object.hasOwn(raw, "lanista_replay")) refuse(1, "not a Lanista replay");
  if (raw.lanista_replay !== REPLAY_FORMAT)
    refuse(
      1,
      `a replay of format ${JSON.stringify(raw.lanista_replay)?.slice(0, 20)}; this program reads format ${REPLAY_FORMAT}`,
    );
  const keys = [
    "lanista_replay",
    "engine",
    "env",
    "seed",
    "chance",
    "episodes",
    "on_fault",
    "seats",
    "limits",
    "sandbox",
  ];
  readFields(raw, 1, keys, ["max_steps"]);
  const env = readObject(raw.env, '"env"');
  readFields(env, 1, ["id", "version", "options"], ["bundle"]);
  const chance = raw.chance;
  if (!Array.isArray(chance) || chance.length !== 2) return refuse(1, '"chance" must be two words');
  const seats = raw.seats;
  if (!Array.isArray(seats) || seats.length < 1 || seats.length > MAX_SEATS)
    return refuse(1, `"seats" must be 1 to ${MAX_SEATS}`);
  const limits = readObject(raw.limits, '"limits"');
  readFields(limits, 1, ["start_seconds", "move_seconds", "bank_seconds"]);
  if (raw.on_fault !== "forfeit" && raw.on_fault !== "random") return refuse(1, '"on_fault" must be forfeit or random');
  const box = raw.sandbox === null ? null : readObject(raw.sandbox, '"sandbox"');
  if (box !== null) readFields(box, 1, ["tier", "runtime"]);
  return {
    engine: readText(raw.engine, 1, '"engine"'),
    env: {
      id: readText(env.id, 1, '"id"'),
      version: readInteger(env.version, 0, 1e9, '"version"'),
      options: readOptions(env.options),
      ...(env.bundle === undefined ? {} : { bundle: readHash(env.bundle, 1) }),
    },
    seed: readInteger(raw.seed, 0, Number.MAX_SAFE_INTEGER, '"seed"'),
    chance: [readInteger(chance[0], 0, 0xffffffff, '"chance"'), readInteger(chance[1], 0, 0xffffffff, '"chance"')],
    episodes: readInteger(raw.episodes, 1, MAX_REPLAY_STEPS, '"episodes"'),
    ...(raw.max_steps === undefined
      ? {}
      : { maxSteps: readInteger(raw.max_steps, 1, MAX_REPLAY_STEPS, '"max_steps"') }),
    onFault: raw.on_fault,
    seats: seats.map((value: unknown) => {
      const seat = readObject(value, "a seat");
      readFields(seat, 1, ["agent", "digest"], ["root"]);
      return {
        agent: readText(seat.agent, 1, '"agent"'),
        digest: readText(seat.digest, 1, '"digest"'),
        ...(seat.root === undefined ? {} : { root: readText(seat.root, 1, '"root"') }),
      };
    }),
    limits: {
      start: readSeconds(limits.start_seconds, '"start_seconds"'),
      move: readSeconds(limits.move_seconds, '"move_seconds"'),
      bank: readSeconds(limits.bank_seconds, '"bank_seconds"'),
    },
    sandbox:
      box === null ? null : { tier: readText(box.tier, 1, '"tier"'), runtime: readText(box.runtime, 1, '"runtime"') },
  };
}
