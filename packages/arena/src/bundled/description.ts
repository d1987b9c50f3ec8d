/** What an environment in a box says of its seats and spaces: from outside, so read strictly and with bounds. */

import { MAX_REPLAY_NUMBERS } from "@lanista/games/replay-limits";
import { z } from "zod";
import type { SeatView } from "../episodes/episodes.ts";
import { type ActionSpace, elements, type Space } from "../episodes/spaces.ts";

export const MAX_SEATS = 31;
/** Numbers in one observation. */
export const MAX_OBSERVATION = 262_144;
/** Of a masked Discrete space, and of one with n in a MultiDiscrete: what a mask is a list of. */
const MAX_MASKED = 65_536;
const MAX_DEPTH = 8;

const bound = z
  .union([z.number(), z.enum(["Infinity", "-Infinity"])])
  .transform((value) =>
    typeof value === "number" ? value : value === "Infinity" ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY,
  );
const bounds = z.union([bound, z.array(bound).max(MAX_OBSERVATION)]);
const shape = z
  .array(z.int().min(0).max(MAX_OBSERVATION))
  .max(8)
  .refine((extents) => elements(extents) <= MAX_OBSERVATION, `more than ${MAX_OBSERVATION} numbers`);
const count = z.int().min(1).max(Number.MAX_SAFE_INTEGER);
const start = z.int();
const integers = (one: z.ZodNumber | z.ZodInt) => z.array(one).max(MAX_OBSERVATION);

const discrete = z.strictObject({ type: z.literal("Discrete"), n: count, start: start.optional() });
const multiDiscrete = z
  .strictObject({
    type: z.literal("MultiDiscrete"),
    shape,
    nvec: integers(count),
    start: integers(start).optional(),
  })
  .refine((one) => one.nvec.length === elements(one.shape), "nvec does not have the space's shape")
  .refine((one) => (one.start?.length ?? one.nvec.length) === one.nvec.length, "start does not have the space's shape");
const multiBinary = z.strictObject({ type: z.literal("MultiBinary"), shape });
const DTYPES = [
  "bool",
  "int8",
  "int16",
  "int32",
  "int64",
  "uint8",
  "uint16",
  "uint32",
  "uint64",
  "float16",
  "float32",
  "float64",
] as const;
const box = z
  .strictObject({ type: z.literal("Box"), shape, dtype: z.enum(DTYPES), low: bounds, high: bounds })
  .refine(
    ({ shape, low, high }) => [low, high].every((side) => typeof side === "number" || side.length === elements(shape)),
    "the bounds do not have the space's shape",
  );

const action = z.union([discrete, multiDiscrete, multiBinary, box]);
const space: z.ZodType<unknown> = z.union([
  action,
  z.strictObject({ type: z.literal("Text"), max_length: z.int().min(0).max(MAX_OBSERVATION) }),
  z.strictObject({ type: z.literal("Tuple"), spaces: z.lazy(() => z.array(space).max(256)) }),
  z.strictObject({
    type: z.literal("Dict"),
    spaces: z.lazy(() => z.array(z.tuple([z.string().max(200), space])).max(256)),
  }),
]);

const description = z.object({
  seats: z.array(z.string().max(200)).min(1).max(MAX_SEATS),
  views: z.array(z.strictObject({ action, observation: space, masked: z.boolean() })),
});

export interface Description {
  readonly seats: readonly string[];
  readonly views: readonly SeatView[];
}

/** Throws an Error that says what is wrong with it. */
export function readDescription(value: unknown): Description {
  const parsed = description.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new Error(`what it says of itself makes no sense: ${issue.path.join(".")}: ${issue.message}`);
  }
  const { seats, views } = parsed.data as { seats: string[]; views: SeatView[] };
  if (views.length !== seats.length) throw new Error(`it has ${seats.length} seats and the spaces of ${views.length}`);
  if (new Set(seats).size !== seats.length) throw new Error("two of its seats have the same name");
  for (const view of views) {
    checkSize(view.observation);
    checkAction(view.action, view.masked);
  }
  return { seats, views };
}

function checkAction(space: ActionSpace, masked: boolean): void {
  if (space.type !== "Discrete") {
    if (elements(space.shape) < 1 || elements(space.shape) > MAX_REPLAY_NUMBERS)
      throw new Error(`an action of ${elements(space.shape)} numbers: it must have 1 to ${MAX_REPLAY_NUMBERS}`);
    if (masked) throw new Error("a mask goes with a Discrete action space alone");
  } else if (masked && space.n > MAX_MASKED) throw new Error(`a mask of more than ${MAX_MASKED} actions`);
}

/** Numbers of a value of the space, all parts together. */
function checkSize(space: Space, depth = 1): number {
  if (depth > MAX_DEPTH) throw new Error(`spaces within spaces, more than ${MAX_DEPTH} deep`);
  let size = 1;
  if (space.type === "Text") size = space.max_length;
  else if (space.type === "Tuple") for (const one of space.spaces) size += checkSize(one, depth + 1);
  else if (space.type === "Dict") {
    for (const [, one] of space.spaces) size += checkSize(one, depth + 1);
    if (new Set(space.spaces.map(([key]) => key)).size !== space.spaces.length)
      throw new Error("two parts of a Dict have the same name");
  } else if (space.type !== "Discrete") size = elements(space.shape);
  if (size > MAX_OBSERVATION) throw new Error(`observations of more than ${MAX_OBSERVATION} numbers`);
  return size;
}
