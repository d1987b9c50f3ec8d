/** What a reset or a step in a box led to: from outside, so read strictly. */
import type { SeatView } from "../episodes/episodes.ts";
import { observationJson } from "./observation.ts";

export type SeatEnd = "terminated" | "truncated" | null;

export interface BoxedTurn {
  /** Bit i: seat i is to act. */
  readonly actors: number;
  /** By seat, as JSON; null where the environment showed it nothing. */
  readonly seen: readonly (string | null)[];
  readonly masks: readonly (Uint8Array | undefined)[];
  readonly rewards: readonly number[];
  readonly ends: readonly SeatEnd[];
}

function bySeat(answer: Record<string, unknown>, key: string, seats: number): readonly unknown[] {
  const value = answer[key];
  if (!Array.isArray(value) || value.length !== seats) throw new Error(`"${key}" is not a list with one value a seat`);
  return value;
}

/** Throws an Error that says what is wrong with it. */
export function readTurn(answer: Record<string, unknown>, views: readonly SeatView[]): BoxedTurn {
  const seats = views.length;
  let actors = 0;
  if (!Array.isArray(answer.actors)) throw new Error('"actors" is no list');
  for (const seat of answer.actors) {
    if (!Number.isInteger(seat) || seat < 0 || seat >= seats)
      throw new Error('"actors" names a seat that there is not');
    actors |= 1 << seat;
  }
  const ends = bySeat(answer, "ends", seats).map((end) => {
    if (end !== null && end !== "terminated" && end !== "truncated") throw new Error('"ends" holds no end');
    return end;
  });
  const seen = bySeat(answer, "seen", seats).map((value, seat) =>
    value === null ? null : observationJson(views[seat]!.observation, value),
  );
  const masks = bySeat(answer, "masks", seats).map((mask, seat) => {
    const acts = (actors & (1 << seat)) !== 0;
    return acts && views[seat]!.masked ? readMask(mask, views[seat]!) : undefined;
  });
  const rewards = bySeat(answer, "rewards", seats).map((reward) => {
    // JSON has no infinity, but JSON.parse makes one of 1e999.
    if (!Number.isFinite(reward)) throw new Error("a reward that is no finite number");
    return reward as number;
  });
  for (let seat = 0; seat < seats; seat++) {
    if ((actors & (1 << seat)) === 0) continue;
    if (ends[seat] !== null) throw new Error(`seat ${seat} has ended and is to act`);
    if (seen[seat] === null) throw new Error(`seat ${seat} is to act and sees nothing`);
  }
  if (actors === 0 && ends.includes(null)) throw new Error("nobody is to act, and not all seats have ended");
  return { actors, seen, masks, rewards, ends };
}

function readMask(value: unknown, { action }: SeatView): Uint8Array {
  const n = action.type === "Discrete" ? action.n : 0;
  if (!Array.isArray(value) || value.length !== n || !value.every((bit) => bit === 0 || bit === 1))
    throw new Error(`a mask that is not ${n} times 0 or 1`);
  if (!value.includes(1)) throw new Error("a mask that leaves no action");
  return Uint8Array.from(value);
}
