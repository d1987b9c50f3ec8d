/** One step's answers, made into actions or guilt. What an agent names as its action is nothing until it was judged here. */
import type { Environment, State } from "@lanista/games/environment";
import type { FaultReply, Reply } from "./reply.ts";
import type { Fault } from "./result.ts";
import type { SubstituteActions } from "./seeds.ts";

export interface Guilt extends FaultReply {
  readonly seat: number;
}

/** By seat; null where a seat was not asked, or its answer is no action. */
export interface JudgedStep {
  readonly actions: (number | null)[];
  readonly thinkMs: (number | null)[];
  readonly guilty: Guilt[];
}

/** `replies` by seat; undefined for a seat that was not asked. */
export function judge(env: Environment, state: State, replies: readonly (Reply | undefined)[]): JudgedStep {
  const actions: (number | null)[] = [];
  const thinkMs: (number | null)[] = [];
  const guilty: Guilt[] = [];
  for (const [seat, reply] of replies.entries()) {
    actions.push(null);
    thinkMs.push(null);
    if (reply?.kind === "fault") guilty.push({ seat, ...reply });
    if (reply?.kind !== "action") continue;
    thinkMs[seat] = reply.thinkMs;
    if (env.isLegal(state, seat, reply.action)) actions[seat] = reply.action;
    else {
      const detail = `the action ${reply.action} is not legal at step ${env.steps(state)}`;
      guilty.push({ kind: "fault", seat, fault: "illegal_action", detail, dead: false, thinkMs: reply.thinkMs });
    }
  }
  return { actions, thinkMs, guilty };
}

/** Puts random legal actions in the place of what the guilty did not do. Returns their faults by seat, if there are any. */
export function substitute(
  env: Environment,
  state: State,
  step: JudgedStep,
  episode: number,
  source: SubstituteActions,
): (Fault | null)[] | undefined {
  if (step.guilty.length === 0) return undefined;
  const faults: (Fault | null)[] = step.actions.map(() => null);
  const mask = new Uint8Array(env.info.actions);
  for (const { seat, fault, thinkMs } of step.guilty) {
    env.mask(state, seat, mask);
    step.actions[seat] = source.pick(mask, episode, env.steps(state), seat);
    step.thinkMs[seat] = thinkMs;
    faults[seat] = fault;
  }
  return faults;
}
