/** Parsers of option values, for commander; where a value is refused, InvalidArgumentError says what is accepted. */
import { InvalidArgumentError } from "commander";

export function integer(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= minimum && value <= maximum))
      throw new InvalidArgumentError(`Give an integer in ${minimum} … ${maximum}.`);
    return value;
  };
}

/** Seconds, such as 5, 0.25 or .5. */
export function seconds(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = /^(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= minimum && value <= maximum))
      throw new InvalidArgumentError(`Give seconds in ${minimum} … ${maximum}.`);
    return value;
  };
}

/** A moment, as ISO 8601 has it: `2026-05-01`, `2026-05-01T18:00` (of this machine's time zone), `2026-05-01T18:00Z`. */
export function moment(text: string): Date {
  const value = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:?\d{2})?)?$/.test(text)
    ? new Date(text.length === 10 ? `${text}T00:00` : text.replace(" ", "T"))
    : new Date(Number.NaN);
  if (Number.isNaN(value.getTime())) throw new InvalidArgumentError("Give a time such as 2026-05-01T18:00.");
  return value;
}

/** A number of at least 0. */
export function number(maximum: number): (text: string) => number {
  return (text) => {
    const value = /^(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : Number.NaN;
    if (!(value <= maximum)) throw new InvalidArgumentError(`Give a number in 0 … ${maximum}.`);
    return value;
  };
}

/** `none`, or what `parse` takes. (Not null: commander takes that for an option without a value.) */
export function orNone<T>(parse: (text: string) => T): (text: string) => T | "none" {
  return (text) => (text === "none" ? text : parse(text));
}

/** Collects an option that may be repeated. */
export function repeated(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

/** Collects names between commas, from an option that may be repeated. */
export function listed(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(",").map((name) => name.trim())];
}

export function yesOrNo(text: string): boolean {
  if (text !== "yes" && text !== "no") throw new InvalidArgumentError("yes or no.");
  return text === "yes";
}
