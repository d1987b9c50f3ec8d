/**
 * An environment whose rules are a Python file: each call of the rules is a question to a Python process of the user's
 * own (his file, his rights: no sandbox), which gets the state, changes it and sends it back. Slow beside rules in
 * JavaScript (some 0.1 ms a call), and meant for trying out: `lanista env check`.
 */
import { join } from "node:path";
import type { Chance } from "@lanista/games/chance";
import type { EnvironmentDefinition, Rules, RulesInfo, State } from "@lanista/games/environment";
import type { Options, OptionsSchema } from "@lanista/games/options";
import { findExecutable } from "@lanista/sandbox/runtimes";
import { PYTHON_DIR } from "../places.ts";
import { UsageError } from "../usage-error.ts";
import { SyncProgram } from "./sync-program.ts";

const TIMEOUT_MS = 30_000;

export interface PythonEnvironment {
  readonly definition: EnvironmentDefinition;
  close(): Promise<void>;
}

interface Made {
  readonly handle: number;
  readonly info: Omit<RulesInfo, "maxSteps"> & { readonly maxSteps: number | null };
  readonly turn: "sequential" | "simultaneous";
  readonly names: readonly string[];
}

interface Called {
  readonly ints: readonly number[];
  readonly floats: readonly number[];
  readonly value: unknown;
}

/** Throws UsageError where the file cannot be loaded or says something of itself that makes no sense. */
export async function loadPythonEnvironment(path: string, python: string): Promise<PythonEnvironment> {
  // It may be in a loop of its own, reading nothing: the kernel ends it with the thread that holds it.
  const setpriv = findExecutable("setpriv");
  const program = new SyncProgram(
    [
      ...(setpriv === undefined ? [] : [setpriv, "--pdeathsig", "KILL", "--"]),
      ...[python, "-B", "-X", "utf8", join(PYTHON_DIR, "environment_runner.py"), path],
    ],
    TIMEOUT_MS,
  );
  try {
    const about = ask(program, { call: "describe" }) as Omit<EnvironmentDefinition, "make">;
    const definition = { ...about, make: (options: Options<OptionsSchema>) => makeRules(program, options) };
    return { definition, close: () => program.close() };
  } catch (error) {
    await program.close();
    throw new UsageError(`${path} could not be loaded: ${(error as Error).message}`);
  }
}

/** One question, with the draws it needs in between. Throws an Error with Python's traceback. */
function ask(program: SyncProgram, question: object, chance?: Chance): unknown {
  let answer = JSON.parse(program.ask(JSON.stringify(question)));
  while (answer.draw !== undefined) {
    const [first, second] = answer.arguments;
    const value = answer.draw === "below" ? chance!.below(first) : chance!.uniform(first, second);
    answer = JSON.parse(program.ask(JSON.stringify({ value })));
  }
  if (answer.error !== undefined) throw new Error(answer.error);
  return answer.result;
}

function makeRules(program: SyncProgram, options: Options): Rules {
  const made = ask(program, { call: "make", options }) as Made;
  const call = (name: string, state: State, more: object = {}, chance?: Chance): unknown => {
    const question = { call: name, handle: made.handle, ints: [...state.ints], floats: [...state.floats], ...more };
    const { ints, floats, value } = ask(program, question, chance) as Called;
    if (ints.length !== state.ints.length || floats.length !== state.floats.length)
      throw new Error(`${name} changed how many numbers the state holds`);
    state.ints.set(ints);
    state.floats.set(floats);
    return value;
  };
  const filled = (out: Float64Array | Uint8Array, value: unknown, name: string): void => {
    if (!Array.isArray(value) || value.length !== out.length)
      throw new Error(`${name} must give a list of ${out.length} numbers, not ${JSON.stringify(value)}`);
    out.set(value);
  };
  const common = {
    info: { ...made.info, maxSteps: made.info.maxSteps ?? Number.POSITIVE_INFINITY },
    init: (state: State, chance: Chance) => void call("init", state, {}, chance),
    mask: (state: State, seat: number, mask: Uint8Array) => filled(mask, call("mask", state, { seat }), "mask"),
    isLegal: (state: State, seat: number, action: number) =>
      Number.isInteger(action) && call("is_legal", state, { seat, action }) === true,
    observe: (state: State, seat: number, out: Float64Array) =>
      filled(out, call("observe", state, { seat }), "observe"),
    render: (state: State) => String(call("render", state)),
    actionName: (action: number) => made.names[action] ?? String(action),
  };
  if (made.turn === "sequential")
    return {
      ...common,
      turn: "sequential",
      apply: (state, seat, action, chance) => void call("apply", state, { seat, action }, chance),
    };
  return {
    ...common,
    turn: "simultaneous",
    apply: (state, actions, chance) =>
      void call("apply", state, { seat: null, action: [...Array.from(actions)] }, chance),
  };
}
