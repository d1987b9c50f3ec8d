/** Actions against their space: which are members, and a random one. */
import type { Chance } from "@lanista/games/chance";
import {
  type Action,
  type Box,
  elements,
  INTEGRAL,
  type PlainSpace,
  partsOf,
  type Space,
  type Text,
} from "./spaces.ts";

const at = (bounds: number | readonly number[], i: number): number =>
  typeof bounds === "number" ? bounds : bounds[i]!;

/**
 * The action as the environment will have it (numbers of a float32 Box rounded to float32), or null where it is not in the
 * space. `mask`, of a Discrete space alone: 1 for each legal action, from `start` on.
 */
export function legalAction(space: Space, action: Action, mask?: Uint8Array): Action | null {
  switch (space.type) {
    case "Discrete": {
      const { n, start = 0 } = space;
      if (typeof action !== "number" || !Number.isInteger(action)) return null;
      if (action < start || action >= start + n) return null;
      return mask === undefined || mask[action - start] === 1 ? action : null;
    }
    case "Text":
      return typeof action === "string" && isText(space, action) ? action : null;
    case "Tuple":
    case "Dict":
      return legalParts(partsOf(space), action);
    default:
      return legalNumbers(space, action);
  }
}

/** Half of a surrogate pair is no character: no Python program could write it anywhere. */
function isText({ min_length: least = 0, max_length: most, charset }: Text, text: string): boolean {
  if (text.length > 2 * most || !text.isWellFormed()) return false;
  const characters = [...text];
  if (characters.length < least || characters.length > most) return false;
  if (charset === undefined) return true;
  const known = new Set(charset);
  return characters.every((one) => known.has(one));
}

function legalParts(spaces: readonly Space[], action: Action): Action | null {
  if (typeof action !== "object" || action.length !== spaces.length) return null;
  const parts: Action[] = [];
  for (const [i, space] of spaces.entries()) {
    const part = legalAction(space, action[i]!);
    if (part === null) return null;
    parts.push(part);
  }
  return parts;
}

function legalNumbers(space: Exclude<PlainSpace, { type: "Discrete" }>, action: Action): Action | null {
  if (typeof action !== "object" || action.length !== elements(space.shape)) return null;
  if (!action.every((value) => typeof value === "number")) return null;
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
export function randomAction(space: Space, chance: Chance, mask?: Uint8Array): Action {
  switch (space.type) {
    case "Discrete":
      return (space.start ?? 0) + (mask === undefined ? below(space.n, chance) : pickLegal(mask, chance));
    case "MultiDiscrete":
      return space.nvec.map((n, i) => (space.start?.[i] ?? 0) + below(n, chance));
    case "MultiBinary":
      return Array.from({ length: elements(space.shape) }, () => chance.below(2));
    case "Box":
      return Array.from({ length: elements(space.shape) }, (_, i) => inBounds(space, i, chance));
    case "Text":
      return randomText(space, chance);
    case "Tuple":
    case "Dict":
      return partsOf(space).map((one) => randomAction(one, chance));
  }
}

const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/** Where any character will do, it is of letters. */
function randomText({ min_length: least = 0, max_length: most, charset = LETTERS }: Text, chance: Chance): string {
  const characters = [...charset];
  const length = characters.length === 0 ? 0 : least + chance.below(most - least + 1);
  return Array.from({ length }, () => characters[chance.below(characters.length)]).join("");
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
