/** One step's answers, made into actions or guilt. What an agent names as its action is nothing until it was judged here. */
import type { Episodes } from "./episodes/episodes.ts";
import type { Action } from "./episodes/spaces.ts";
import type { FaultReply, Reply } from "./reply.ts";
import type { Fault } from "./result.ts";
import { cleanDetail } from "./seat-fault.ts";
import type { SubstituteActions } from "./seeds.ts";

/** Characters of an action in a fault's detail. */
const MAX_SHOWN = 120;

export interface Guilt extends FaultReply {
  readonly seat: number;
}

/** By seat; null where a seat was not asked, or its answer is no action. */
export interface JudgedStep {
  readonly actions: (Action | null)[];
  readonly thinkMs: (number | null)[];
  readonly guilty: Guilt[];
}

/** `replies` by seat; undefined for a seat that was not asked. */
export function judge(episodes: Episodes, replies: readonly (Reply | undefined)[]): JudgedStep {
  const actions: (Action | null)[] = [];
  const thinkMs: (number | null)[] = [];
  const guilty: Guilt[] = [];
  for (const [seat, reply] of replies.entries()) {
    actions.push(null);
    thinkMs.push(null);
    if (reply?.kind === "fault") guilty.push({ seat, ...reply });
    if (reply?.kind !== "action") continue;
    thinkMs[seat] = reply.thinkMs;
    actions[seat] = episodes.legal(seat, reply.action);
    if (actions[seat] === null) {
      const detail = `the action ${actionText(reply.action)} is not legal at step ${episodes.steps}`;
      guilty.push({ kind: "fault", seat, fault: "illegal_action", detail, dead: false, thinkMs: reply.thinkMs });
    }
  }
  return { actions, thinkMs, guilty };
}

/** Puts random legal actions in the place of what the guilty did not do. Returns their faults by seat, if there are any. */
export function substitute(
  episodes: Episodes,
  step: JudgedStep,
  episode: number,
  source: SubstituteActions,
): (Fault | null)[] | undefined {
  if (step.guilty.length === 0) return undefined;
  const faults: (Fault | null)[] = step.actions.map(() => null);
  for (const { seat, fault, thinkMs } of step.guilty) {
    step.actions[seat] = episodes.randomAction(seat, source.draw(episode, episodes.steps, seat));
    step.thinkMs[seat] = thinkMs;
    faults[seat] = fault;
  }
  return faults;
}

function actionText(action: Action): string {
  const told = JSON.stringify(action);
  return cleanDetail(told.length > MAX_SHOWN ? `${told.slice(0, MAX_SHOWN)}…` : told);
}
