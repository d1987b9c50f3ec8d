/**
 * The spaces that agents meet, named as in Gymnasium: those of the built-in environments, and what bundled ones have beside
 * them. Values of Box, MultiDiscrete and MultiBinary are flat, row-major; the shape says how to fold them.
 */
import type { ReplayAction } from "@lanista/games/replay-types";
import type { Box as GamesBox } from "@lanista/games/space";

export type DType = GamesBox["dtype"] | "float16" | "bool" | "int16" | "int64" | "uint16" | "uint32" | "uint64";

export interface Discrete {
  readonly type: "Discrete";
  /** Values are the integers start … start + n − 1. */
  readonly n: number;
  /** Absent: 0. */
  readonly start?: number;
}

export interface Box extends Omit<GamesBox, "dtype"> {
  readonly dtype: DType;
}

/** Element i is one of start[i] … start[i] + nvec[i] − 1. */
export interface MultiDiscrete {
  readonly type: "MultiDiscrete";
  readonly shape: readonly number[];
  readonly nvec: readonly number[];
  /** Absent: all 0. */
  readonly start?: readonly number[];
}

export interface MultiBinary {
  readonly type: "MultiBinary";
  readonly shape: readonly number[];
}

/** Lengths are in characters (Unicode's code points), as Python counts them. */
export interface Text {
  readonly type: "Text";
  readonly max_length: number;
  /** Absent: 0. */
  readonly min_length?: number;
  /** The characters that there are; absent: any. */
  readonly charset?: string;
}

export interface Tuple {
  readonly type: "Tuple";
  readonly spaces: readonly Space[];
}

export interface Dict {
  readonly type: "Dict";
  /** In the environment's order. */
  readonly spaces: readonly (readonly [string, Space])[];
}

/** Of numbers alone, none within another. */
export type PlainSpace = Discrete | Box | MultiDiscrete | MultiBinary;
export type Space = PlainSpace | Text | Tuple | Dict;
/** As it is recorded: a number, a text, a flat list of numbers, or the list of a Tuple's or Dict's parts in their order. */
export type Action = ReplayAction;

/** A Tuple's or a Dict's. */
export function partsOf(space: Tuple | Dict): readonly Space[] {
  return space.type === "Tuple" ? space.spaces : space.spaces.map(([, one]) => one);
}

export const INTEGRAL: ReadonlySet<DType> = new Set([
  "bool",
  "int8",
  "int16",
  "int32",
  "int64",
  "uint8",
  "uint16",
  "uint32",
  "uint64",
] as const);

export function elements(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

function bound(value: number | readonly number[]): unknown {
  if (typeof value !== "number") return value.map(bound);
  return Number.isFinite(value) ? value : String(value);
}

/** A space as agents are told of it; JSON has no infinities, so these are strings. */
export function spaceJson(space: Space): unknown {
  switch (space.type) {
    case "Box":
      return {
        type: "Box",
        shape: space.shape,
        dtype: space.dtype,
        low: bound(space.low),
        high: bound(space.high),
      };
    case "Tuple":
      return { type: "Tuple", spaces: space.spaces.map(spaceJson) };
    case "Dict":
      return {
        type: "Dict",
        spaces: Object.fromEntries(space.spaces.map(([key, one]) => [key, spaceJson(one)])),
      };
    default:
      return space;
  }
}
