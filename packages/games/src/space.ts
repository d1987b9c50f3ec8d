/**
 * Observation and action spaces, named as in Gymnasium (https://gymnasium.farama.org/api/spaces/).
 * Values of a Box are flat, row-major; the shape says how to fold them.
 */
export type DType = "float32" | "float64" | "int8" | "uint8" | "int32";

export interface Discrete {
  readonly type: "Discrete";
  /** Values are the integers 0 … n − 1. */
  readonly n: number;
}

export interface Box {
  readonly type: "Box";
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** One bound for all elements, or one for each, flat. Infinity means unbounded. */
  readonly low: number | readonly number[];
  readonly high: number | readonly number[];
}

export type Space = Discrete | Box;

/** How many numbers a value of the space holds. */
export function flatSize(space: Space): number {
  return space.type === "Discrete" ? 1 : space.shape.reduce((product, extent) => product * extent, 1);
}

const integral = new Set<DType>(["int8", "uint8", "int32"]);

/** Says whether the flat `values` are a member of the space. NaN never is. */
export function contains(space: Space, values: ArrayLike<number>): boolean {
  if (values.length !== flatSize(space)) return false;
  if (space.type === "Discrete") {
    const value = values[0]!;
    return Number.isInteger(value) && value >= 0 && value < space.n;
  }
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    const low = typeof space.low === "number" ? space.low : space.low[i]!;
    const high = typeof space.high === "number" ? space.high : space.high[i]!;
    if (!(value >= low && value <= high)) return false;
    if (integral.has(space.dtype) && !Number.isInteger(value)) return false;
  }
  return true;
}
