/** What an environment in a box says of its seats and spaces: from outside, so read strictly and with bounds. */
import { MAX_REPLAY_DEPTH, MAX_REPLAY_LINE, MAX_REPLAY_NUMBERS, MAX_REPLAY_TEXT } from "@lanista/games/replay-limits";
import { z } from "zod";
import type { SeatView } from "../episodes/episodes.ts";
import { elements, partsOf, type Space } from "../episodes/spaces.ts";

export const MAX_SEATS = 31;
/** Numbers in one observation. */
export const MAX_OBSERVATION = 262_144;
/** Of a masked Discrete space, and of one with n in a MultiDiscrete: what a mask is a list of. */
const MAX_MASKED = 65_536;
const MAX_DEPTH = 8;
/** Characters of the actions of one step in a replay: what is over is left for times, faults and rewards. */
const MAX_ACTIONS = MAX_REPLAY_LINE - 16 * 1024;
/** Of a number as JSON has it at its longest, with a comma. */
const NUMBER_CHARS = 26;
/** Of all texts of an action: each of them may be two UTF-16 units. */
const MAX_TEXT = MAX_REPLAY_TEXT / 2;

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

const length = z.int().min(0).max(MAX_OBSERVATION);
const textual = z
  .strictObject({
    type: z.literal("Text"),
    max_length: length,
    min_length: length.optional(),
    charset: z
      .string()
      .max(8192)
      .refine((characters) => characters.isWellFormed(), "holds half of a surrogate pair")
      .optional(),
  })
  .refine((one) => (one.min_length ?? 0) <= one.max_length, "min_length is beyond max_length")
  .refine((one) => one.charset !== "" || (one.min_length ?? 0) === 0, "there are no characters to write it with");
const space: z.ZodType<unknown> = z.union([
  discrete,
  multiDiscrete,
  multiBinary,
  box,
  textual,
  z.strictObject({ type: z.literal("Tuple"), spaces: z.lazy(() => z.array(space).max(256)) }),
  z.strictObject({
    type: z.literal("Dict"),
    spaces: z.lazy(() => z.array(z.tuple([z.string().max(200), space])).max(256)),
  }),
]);

const description = z.object({
  seats: z.array(z.string().max(200)).min(1).max(MAX_SEATS),
  views: z.array(z.strictObject({ action: space, observation: space, masked: z.boolean() })),
});

export interface Description {
  readonly seats: readonly string[];
  readonly views: readonly SeatView[];
}

/** `together`: seats may act at once. Throws an Error that says what is wrong with it. */
export function readDescription(value: unknown, together: boolean): Description {
  const parsed = description.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new Error(`what it says of itself makes no sense: ${issue.path.join(".")}: ${issue.message}`);
  }
  const { seats, views } = parsed.data as { seats: string[]; views: SeatView[] };
  if (views.length !== seats.length) throw new Error(`it has ${seats.length} seats and the spaces of ${views.length}`);
  if (new Set(seats).size !== seats.length) throw new Error("two of its seats have the same name");
  const written = views.map((view) => {
    checkSize(view.observation);
    return checkAction(view.action, view.masked);
  });
  const most = together ? written.reduce((sum, one) => sum + one) : Math.max(...written);
  if (most > MAX_ACTIONS)
    throw new Error(`the actions of one step could have ${most} characters: a replay holds ${MAX_ACTIONS}`);
  return { seats, views };
}

/** The most characters of such an action in a replay. */
function checkAction(space: Space, masked: boolean): number {
  if (masked) {
    if (space.type !== "Discrete") throw new Error("a mask goes with a Discrete action space alone");
    if (space.n > MAX_MASKED) throw new Error(`a mask of more than ${MAX_MASKED} actions`);
  }
  const { numbers, characters, written } = actionSize(space, 0);
  if (numbers > MAX_REPLAY_NUMBERS)
    throw new Error(`an action of ${numbers} numbers: it must have ${MAX_REPLAY_NUMBERS} at most`);
  if (characters > MAX_TEXT)
    throw new Error(`an action with texts of ${characters} characters: they must have ${MAX_TEXT} at most`);
  return written;
}

interface ActionSize {
  readonly numbers: number;
  readonly characters: number;
  /** What JSON makes of it at its longest. */
  readonly written: number;
}

/** JSON writes a control character in six. */
const longest = (charset: string | undefined): number =>
  charset === undefined || [...charset].some((one) => one < " ") ? 6 : 2;

function actionSize(space: Space, depth: number): ActionSize {
  if (space.type === "Discrete") return { numbers: 1, characters: 0, written: NUMBER_CHARS };
  if (space.type === "Text") {
    const characters = space.max_length;
    return { numbers: 0, characters, written: characters * longest(space.charset) + 3 };
  }
  if (depth >= MAX_REPLAY_DEPTH) throw new Error(`actions of parts within parts, more than ${MAX_REPLAY_DEPTH} deep`);
  if (space.type !== "Tuple" && space.type !== "Dict") {
    const numbers = elements(space.shape);
    if (numbers < 1) throw new Error("an action of no numbers: it must have 1 at least");
    return { numbers, characters: 0, written: numbers * NUMBER_CHARS + 3 };
  }
  distinctParts(space);
  const parts = partsOf(space).map((one) => actionSize(one, depth + 1));
  if (parts.length === 0) throw new Error(`an action that is a ${space.type} of no parts`);
  const sum = (key: keyof ActionSize): number => parts.reduce((total, part) => total + part[key], 0);
  return { numbers: sum("numbers"), characters: sum("characters"), written: sum("written") + 3 };
}

function distinctParts(space: Space): void {
  if (space.type !== "Dict") return;
  const names = new Set(space.spaces.map(([name]) => name));
  if (names.size !== space.spaces.length) throw new Error("two parts of a Dict have the same name");
}

/** Numbers of a value of the space, all parts together. */
function checkSize(space: Space, depth = 1): number {
  if (depth > MAX_DEPTH) throw new Error(`spaces within spaces, more than ${MAX_DEPTH} deep`);
  let size = 1;
  if (space.type === "Text") size = space.max_length;
  else if (space.type === "Tuple" || space.type === "Dict") {
    distinctParts(space);
    for (const one of partsOf(space)) size += checkSize(one, depth + 1);
  } else if (space.type !== "Discrete") size = elements(space.shape);
  if (size > MAX_OBSERVATION) throw new Error(`observations of more than ${MAX_OBSERVATION} numbers`);
  return size;
}
