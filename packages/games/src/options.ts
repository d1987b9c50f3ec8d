/** An environment's options: a small subset of JSON Schema, normalised once; inside, every option is present. */
export type OptionSchema =
  | {
      readonly type: "integer";
      readonly minimum: number;
      readonly maximum: number;
      readonly default: number;
      readonly description: string;
    }
  | {
      readonly type: "number";
      readonly minimum: number;
      readonly maximum: number;
      readonly default: number;
      readonly description: string;
    }
  | { readonly type: "boolean"; readonly default: boolean; readonly description: string }
  | {
      readonly type: "string";
      readonly enum: readonly string[];
      readonly default: string;
      readonly description: string;
    };

export type OptionsSchema = { readonly [name: string]: OptionSchema };
export type OptionValue = number | boolean | string;
export type Options<S extends OptionsSchema = OptionsSchema> = {
  readonly [K in keyof S]: S[K]["type"] extends "integer" | "number"
    ? number
    : S[K]["type"] extends "boolean"
      ? boolean
      : string;
};

/** An option that is unknown, of the wrong type or out of its range. The message names the option and what it may be. */
export class OptionError extends Error {
  override readonly name = "OptionError";
}

function describe(schema: OptionSchema): string {
  switch (schema.type) {
    case "integer":
      return `an integer in ${schema.minimum} … ${schema.maximum}`;
    case "number":
      return `a number in ${schema.minimum} … ${schema.maximum}`;
    case "boolean":
      return "true or false";
    case "string":
      return `one of ${schema.enum.join(", ")}`;
  }
}

function accepts(schema: OptionSchema, value: unknown): value is OptionValue {
  switch (schema.type) {
    case "integer":
      return Number.isInteger(value) && (value as number) >= schema.minimum && (value as number) <= schema.maximum;
    case "number":
      return typeof value === "number" && value >= schema.minimum && value <= schema.maximum;
    case "boolean":
      return typeof value === "boolean";
    case "string":
      return typeof value === "string" && schema.enum.includes(value);
  }
}

/** Fills in defaults. Throws OptionError on an unknown name or a value the schema refuses. */
export function normaliseOptions<S extends OptionsSchema>(
  schema: S,
  given: { readonly [name: string]: unknown } = {},
): Options<S> {
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(schema, name)) {
      const known = Object.keys(schema);
      throw new OptionError(
        `unknown option "${name}"; ${known.length === 0 ? "this environment has no options" : `known: ${known.join(", ")}`}`,
      );
    }
  }
  const complete: Record<string, OptionValue> = {};
  for (const [name, one] of Object.entries(schema)) {
    const value = Object.hasOwn(given, name) ? given[name] : one.default;
    if (!accepts(one, value))
      throw new OptionError(`option "${name}" must be ${describe(one)}, not ${JSON.stringify(value)}`);
    complete[name] = value;
  }
  return complete as Options<S>;
}

/** Parses one `NAME=VALUE` as typed on a command line. Throws OptionError. */
export function parseOption(schema: OptionsSchema, text: string): [string, OptionValue] {
  const at = text.indexOf("=");
  if (at < 1) throw new OptionError(`an option is written NAME=VALUE, not "${text}"`);
  const name = text.slice(0, at);
  const raw = text.slice(at + 1);
  const one = Object.hasOwn(schema, name) ? schema[name] : undefined;
  let value: unknown = raw;
  if (one?.type === "integer" || one?.type === "number") value = raw.trim() === "" ? Number.NaN : Number(raw);
  if (one?.type === "boolean") value = raw === "true" ? true : raw === "false" ? false : raw;
  return [name, normaliseOptions(schema, { [name]: value })[name]!];
}
