import type { EnvironmentDefinition, RulesInfo } from "../environment.ts";
import { normaliseOptions, type OptionValue } from "../options.ts";
import { flatSize, type Space } from "../space.ts";
import type { Report } from "./report.ts";

/** The bits of an Int32 that can stand for seats. */
const MOST_SEATS = 30;

/** A definition may come from a user's JavaScript: nothing is taken for granted. */
export function checkDefinition(definition: EnvironmentDefinition, report: Report): void {
  if (typeof definition !== "object" || definition === null) {
    report.found("definition", "it is not an object");
    return;
  }
  const { id, version, title, description, options } = definition;
  if (typeof id !== "string" || !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(id))
    report.found("definition", `the id "${id}" is not in kebab-case`);
  if (!Number.isSafeInteger(version) || version < 1)
    report.found("definition", `the version is ${version}, not an integer from 1 on`);
  for (const [name, text] of Object.entries({ title, description }))
    if (typeof text !== "string" || text.trim() === "") report.found("definition", `the ${name} is empty`);
  report.guard("definition", "reading the options' own defaults", () => normaliseOptions(options));
}

/** The default options, then each option in turn at its ends: what a check without options looks at. */
export function variants(definition: EnvironmentDefinition): { [name: string]: OptionValue }[] {
  const all: { [name: string]: OptionValue }[] = [{}];
  for (const [name, schema] of Object.entries(definition.options)) {
    const values: readonly OptionValue[] =
      schema.type === "boolean"
        ? [false, true]
        : schema.type === "string"
          ? schema.enum
          : [schema.minimum, schema.maximum];
    for (const value of new Set(values)) if (value !== schema.default) all.push({ [name]: value });
  }
  return all;
}

function count(value: number, least: number): boolean {
  return Number.isSafeInteger(value) && value >= least;
}

function checkSpace(space: Space, report: Report): void {
  if (space.type === "Discrete") {
    if (!count(space.n, 1)) report.found("info", `a Discrete observation space has n = ${space.n}`);
    return;
  }
  if (!space.shape.every((extent) => count(extent, 1)))
    report.found("info", `the observation's shape is ${space.shape.join(" × ")}`);
  const size = flatSize(space);
  const bound = (of: number | readonly number[], at: number) => (typeof of === "number" ? of : of[at]!);
  for (const [name, of] of Object.entries({ low: space.low, high: space.high }))
    if (typeof of !== "number" && of.length !== size)
      report.found("info", `the observation space has ${of.length} elements in ${name}, not ${size}`);
  for (let i = 0; i < size; i++)
    if (!(bound(space.low, i) <= bound(space.high, i)))
      report.found("info", `the observation's element ${i} has an empty range`);
}

export function checkInfo(info: RulesInfo, report: Report): void {
  const { seats, ownInts, ownFloats, actions, returnRange, maxSteps } = info;
  if (!count(seats, 1) || seats > MOST_SEATS) report.found("info", `seats is ${seats}, not in 1 … ${MOST_SEATS}`);
  else if (!count(ownInts, 0) || !count(ownFloats, 0))
    report.found("info", `ownInts is ${ownInts} and ownFloats ${ownFloats}`);
  else if (!count(actions, 1)) report.found("info", `actions is ${actions}`);
  else if (!returnRange.every(Number.isFinite) || !(returnRange[0] <= returnRange[1]))
    report.found("info", `returnRange is ${returnRange.join(" … ")}, not two finite numbers in order`);
  else if (maxSteps !== Number.POSITIVE_INFINITY && !count(maxSteps, 1))
    report.found("info", `maxSteps is ${maxSteps}`);
  else checkSpace(info.observation, report);
}
