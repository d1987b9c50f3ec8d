/** Actions against their space: which are members, and a random one. */
import type { Chance } from "@lanista/games/chance";
import { type Action, type ActionSpace, type Box, elements, INTEGRAL } from "./spaces.ts";

const at = (bounds: number | readonly number[], i: number): number =>
  typeof bounds === "number" ? bounds : bounds[i]!;

/**
 * The action as the environment will have it (numbers of a float32 Box rounded to float32), or null where it is not in the
 * space. `mask`, of a Discrete space alone: 1 for each legal action, from `start` on.
 */
export function legalAction(space: ActionSpace, action: Action, mask?: Uint8Array): Action | null {
  if (space.type === "Discrete") {
    const { n, start = 0 } = space;
    if (typeof action !== "number" || !Number.isInteger(action)) return null;
    if (action < start || action >= start + n) return null;
    return mask === undefined || mask[action - start] === 1 ? action : null;
  }
  if (typeof action === "number" || action.length !== elements(space.shape)) return null;
  if (space.type === "Box") {
    const exact = space.dtype === "float32" ? action.map((value) => Math.fround(value) + 0) : action;
    return exact.every((value, i) => inBox(space, value, i)) ? exact : null;
  }
  const member = (value: number, i: number): boolean => {
    const least = space.type === "MultiBinary" ? 0 : (space.start?.[i] ?? 0);
    const count = space.type === "MultiBinary" ? 2 : space.nvec[i]!;
    return Number.isInteger(value) && value >= least && value < least + count;
  };
  return action.every(member) ? action : null;
}

function inBox(space: Box, value: number, i: number): boolean {
  if (!Number.isFinite(value) || !(value >= at(space.low, i) && value <= at(space.high, i))) return false;
  return !INTEGRAL.has(space.dtype) || Number.isInteger(value);
}

/** A legal action out of a mask with at least one 1, as its index. */
export function pickLegal(mask: Uint8Array, chance: Chance): number {
  let legal = 0;
  for (const bit of mask) legal += bit;
  let skip = chance.below(legal);
  return mask.findIndex((bit) => bit === 1 && skip-- === 0);
}

/** A member of the space: uniform where that is possible, else as near to 0 as the bounds let it be. */
export function randomAction(space: ActionSpace, chance: Chance, mask?: Uint8Array): Action {
  switch (space.type) {
    case "Discrete":
      return (space.start ?? 0) + (mask === undefined ? below(space.n, chance) : pickLegal(mask, chance));
    case "MultiDiscrete":
      return space.nvec.map((n, i) => (space.start?.[i] ?? 0) + below(n, chance));
    case "MultiBinary":
      return Array.from({ length: elements(space.shape) }, () => chance.below(2));
    case "Box":
      return Array.from({ length: elements(space.shape) }, (_, i) => inBounds(space, i, chance));
  }
}

/** Chance draws from at most 2^32. */
function below(n: number, chance: Chance): number {
  return n <= 2 ** 32 ? chance.below(n) : Math.min(n - 1, Math.floor(chance.uniform(0, n)));
}

function inBounds(space: Box, i: number, chance: Chance): number {
  const [low, high] = [at(space.low, i), at(space.high, i)];
  const drawn = chance.uniform(0, 1);
  if (!Number.isFinite(low) || !Number.isFinite(high)) return Math.min(Math.max(0, low), high) + 0;
  if (INTEGRAL.has(space.dtype)) return Math.min(high, low + Math.floor(drawn * (high - low + 1))) + 0;
  const value = low + (high - low) * drawn;
  // Rounded to float32 it may lie beyond a bound, but never both; the bounds themselves are float32.
  const exact = space.dtype === "float32" ? Math.fround(value) : value;
  return Math.min(high, Math.max(low, Number.isFinite(exact) ? exact : low)) + 0;
}
