/**
 * A value as an environment's box writes it, checked against its space and written again as agents see it (docs/agent-protocol.md):
 * numbers as JavaScript writes them, so that they are read back as the very same, parts of a Dict under their names.
 */
import { type Box, elements, INTEGRAL, type Space } from "../episodes/spaces.ts";

const ODD = new Set<unknown>(["NaN", "Infinity", "-Infinity"]);

function refuse(what: string): never {
  throw new Error(`an observation that is not in its space: ${what}`);
}

function listOf(value: unknown, length: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length !== length) return refuse(`not a list of ${length}`);
  return value;
}

function integerIn(value: unknown, least: number, count: number): number {
  if (!Number.isInteger(value) || (value as number) < least || (value as number) >= least + count)
    return refuse(`${JSON.stringify(value)?.slice(0, 40)} is no integer in ${least} … ${least + count - 1}`);
  return value as number;
}

/** JSON of the value. Throws an Error. Bounds of a Box are not looked at: an observation beyond them hurts nobody. */
export function observationJson(space: Space, value: unknown): string {
  switch (space.type) {
    case "Discrete":
      return String(integerIn(value, space.start ?? 0, space.n));
    case "Box":
      return boxJson(space, listOf(value, elements(space.shape)));
    case "MultiDiscrete": {
      const parts = listOf(value, space.nvec.length);
      return `[${parts.map((one, i) => integerIn(one, space.start?.[i] ?? 0, space.nvec[i]!)).join(",")}]`;
    }
    case "MultiBinary":
      return `[${listOf(value, elements(space.shape))
        .map((one) => integerIn(one, 0, 2))
        .join(",")}]`;
    case "Text":
      if (typeof value !== "string" || value.length > 2 * space.max_length || [...value].length > space.max_length)
        return refuse(`no text of at most ${space.max_length} characters`);
      return JSON.stringify(value);
    case "Tuple": {
      const parts = listOf(value, space.spaces.length);
      return `[${space.spaces.map((one, i) => observationJson(one, parts[i])).join(",")}]`;
    }
    case "Dict": {
      const parts = listOf(value, space.spaces.length);
      return `{${space.spaces.map(([key, one], i) => `${JSON.stringify(key)}:${observationJson(one, parts[i])}`).join(",")}}`;
    }
  }
}

function boxJson({ dtype }: Box, values: readonly unknown[]): string {
  const integral = INTEGRAL.has(dtype);
  let plain = true;
  for (const value of values) {
    if (typeof value === "number") {
      if (integral && !Number.isSafeInteger(value)) refuse(`${value} is no ${dtype}`);
      // JSON has no infinity, but JSON.parse makes one of 1e999, which agents could not read.
      if (!Number.isFinite(value)) refuse("a number too large for a float64");
      if (dtype === "float32" && Math.fround(value) !== value) refuse(`${value} is no float32`);
      // JavaScript would write it as 0.
      if (value === 0 && Object.is(value, -0)) plain = false;
    } else if (!integral && ODD.has(value)) plain = false;
    else refuse(`${JSON.stringify(value)?.slice(0, 40)} is no number`);
  }
  return `[${plain ? values.join(",") : values.map(numberJson).join(",")}]`;
}

function numberJson(value: unknown): string {
  if (typeof value === "string") return `"${value}"`;
  return Object.is(value, -0) ? "-0.0" : String(value);
}
