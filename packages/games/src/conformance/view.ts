/** What can be read of one state: masks, observations, text, JSON. None of it may change the state. */
import { ACTORS, ENDED, type Environment, ILLEGAL, RUNNING, STEPS, type State } from "../environment.ts";
import { contains } from "../space.ts";
import type { Report } from "./report.ts";

/** Never a legal action, whatever the number of actions. */
export const NO_ACTIONS = [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32, -(2 ** 32)];

/** Equal to the bit: 0 is not −0, and NaN is NaN. */
export function sameState(a: State, b: State): boolean {
  return a.ints.every((value, i) => value === b.ints[i]) && a.floats.every((value, i) => Object.is(value, b.floats[i]));
}

export function cloneState(env: Environment, state: State): State {
  const clone = env.newState();
  clone.ints.set(state.ints);
  clone.floats.set(state.floats);
  return clone;
}

/** A state between 0 and its end: `steps` legal steps were taken. */
export function checkFields(env: Environment, state: State, steps: number, report: Report): void {
  const actors = state.ints[ACTORS]!;
  const ended = state.ints[ENDED]!;
  const everyone = (1 << env.info.seats) - 1;
  if (state.ints[STEPS] !== steps) report.found("state", `STEPS is ${state.ints[STEPS]} after ${steps} steps`);
  if (state.ints[ILLEGAL] !== 0) report.found("state", "ILLEGAL is set after legal actions only");
  if (ended < 0 || ended > 2) report.found("state", `ENDED is ${ended}`);
  else if (ended !== RUNNING) {
    if (steps === 0) report.found("state", "the episode has ended before its first step");
    if (actors !== 0) report.found("state", "somebody is to act after the end");
  } else if (env.turn === "simultaneous" && actors !== everyone)
    report.found("state", `not every seat is to act: ACTORS is ${actors}`);
  else if (env.turn === "sequential" && (actors <= 0 || actors > everyone || (actors & (actors - 1)) !== 0))
    report.found("state", `not exactly one of ${env.info.seats} seats is to act: ACTORS is ${actors}`);
}

function checkMask(env: Environment, state: State, seat: number, report: Report): void {
  const mask = new Uint8Array(env.info.actions).fill(255);
  env.mask(state, seat, mask);
  if (mask.some((value) => value > 1)) report.found("mask", `seat ${seat}'s mask holds ${Math.max(...mask)}`);
  const acts = (env.actors(state) & (1 << seat)) !== 0;
  if (acts && !mask.includes(1)) report.found("mask", `seat ${seat} is to act and has no legal action`);
  for (let action = 0; action < mask.length; action++)
    if (env.isLegal(state, seat, action) !== (mask[action] === 1))
      report.found("mask", `seat ${seat}'s mask has ${mask[action]} at action ${action}, but isLegal says otherwise`);
  for (const action of [...NO_ACTIONS, mask.length])
    if (env.isLegal(state, seat, action)) report.found("illegal-action", `isLegal takes ${action} for an action`);
}

function checkObservation(env: Environment, state: State, seat: number, report: Report): void {
  const [first, second] = [Number.NaN, 12345].map((before) => {
    const out = new Float64Array(env.observationSize()).fill(before);
    env.observe(state, seat, out);
    return out;
  }) as [Float64Array, Float64Array];
  const unwritten = first.findIndex((value, i) => !Object.is(value, second[i]));
  if (unwritten >= 0) report.found("space", `seat ${seat}'s observation is not written at ${unwritten}`);
  else if (!contains(env.info.observation, first))
    report.found("space", `seat ${seat}'s observation is not in the space: ${first.join(",")}`);
}

function checkText(env: Environment, state: State, report: Report): void {
  const text: unknown = env.render(state);
  if (typeof text !== "string" || text === "") report.found("rendering", "the text is empty");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is control characters that are looked for.
  else if (/[\x00-\x09\x0b-\x1f\x7f-\x9f]/.test(text)) report.found("rendering", "the text has a control character");
  else if (text.endsWith("\n")) report.found("rendering", "the text ends with a newline");
  else if (env.render(state) !== text) report.found("rendering", "the same state is rendered in two ways");
}

function checkJson(env: Environment, state: State, report: Report): void {
  const back = env.deserialise(JSON.parse(JSON.stringify(env.serialise(state))));
  if (!sameState(back, state)) report.found("serialise", "reading it back from JSON gives another state");
}

export function checkView(env: Environment, state: State, report: Report): void {
  const before = cloneState(env, state);
  const pure = (what: string) => {
    if (!sameState(before, state)) report.found("purity", `${what} changes the state`);
  };
  for (let seat = 0; seat < env.info.seats; seat++) {
    report.guard("throws", "mask or isLegal", () => checkMask(env, state, seat, report));
    pure("mask or isLegal");
    report.guard("throws", "observe", () => checkObservation(env, state, seat, report));
    pure("observe");
  }
  report.guard("rendering", "render", () => checkText(env, state, report));
  pure("render");
  report.guard("serialise", "serialise or deserialise", () => checkJson(env, state, report));
}

export function checkActionNames(env: Environment, report: Report): void {
  const names = new Map<string, number>();
  for (let action = 0; action < env.info.actions; action++) {
    const name: unknown = env.actionName(action);
    if (typeof name !== "string" || !/^\S+$/.test(name)) {
      report.found("rendering", `action ${action} has the name ${JSON.stringify(name)}, not a word`);
      return;
    }
    if (names.has(name)) report.found("rendering", `actions ${names.get(name)} and ${action} are both named ${name}`);
    names.set(name, action);
  }
}
