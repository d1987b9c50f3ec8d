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
