/** Starts an agent in a box and asks it for one action, as a match would. */
import { SeededChance } from "@lanista/games/chance";
import { SandboxError } from "@lanista/sandbox/errors";
import type { SandboxHost } from "@lanista/sandbox/host";
import type { SandboxStamp } from "@lanista/sandbox/types";
import { AgentBoxes } from "../agent-boxes.ts";
import type { PreparedAgent } from "../agents/types.ts";
import { type Playable, sourceOf } from "../episodes/built-in.ts";
import type { EpisodeSource, Episodes } from "../episodes/episodes.ts";
import { HostClock } from "../host-clock.ts";
import { judge } from "../judge.ts";
import { planMatch } from "../match-plan.ts";
import type { FaultReply, Reply } from "../reply.ts";
import type { Fault } from "../result.ts";
import { Seat } from "../seat.ts";
import { cleanDetail } from "../seat-fault.ts";
import { chanceKey } from "../seeds.ts";
import type { ValidationBox, ValidationBoxes } from "./inspect.ts";

const LOG_CHARS = 2000;
const SEED = 0;
/** How long an answered agent is listened to: what it writes unasked would be a fault in a match. */
const LISTEN_MS = 100;

export interface DryRunRequest {
  readonly agent: PreparedAgent;
  readonly env: Playable;
  readonly host: SandboxHost;
  readonly boxes: ValidationBoxes;
  readonly startSeconds: number;
  readonly moveSeconds: number;
  readonly signal: AbortSignal | undefined;
  readonly onReady: ((box: ValidationBox, milliseconds: number) => void) | undefined;
}

export interface DryRun {
  readonly stamp: SandboxStamp;
  /** What the agent did wrong, in words of a match; undefined if nothing. */
  readonly wrong: { readonly fault: Fault; readonly detail: string; readonly log: string } | undefined;
}

/** Throws SandboxError where the fault is the host's, InterpreterMissingError, EnvironmentFault, and the signal's reason. */
export async function dryRun(request: DryRunRequest): Promise<DryRun> {
  const { env, signal } = request;
  signal?.throwIfAborted();
  const source = sourceOf(env);
  const episodes = await source.open(signal);
  const cancel = (): void => episodes.cancel();
  signal?.addEventListener("abort", cancel);
  try {
    if (signal?.aborted) cancel();
    return await asked(request, source, episodes);
  } catch (error) {
    // Whatever came of being cancelled.
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener("abort", cancel);
    await episodes.close();
  }
}

async function asked(request: DryRunRequest, source: EpisodeSource, episodes: Episodes): Promise<DryRun> {
  const { agent, signal } = request;
  const contender = new AgentBoxes(request.host, request.boxes).contender(agent);
  const plan = planMatch({
    env: source,
    contenders: Array.from({ length: source.views.length }, () => contender),
    seed: SEED,
    startSeconds: request.startSeconds,
    moveSeconds: request.moveSeconds,
  });
  const [k0, k1] = chanceKey(SEED);
  await episodes.reset(new SeededChance(k0, k1).split(0));
  const seatIndex = 31 - Math.clz32(episodes.actors & -episodes.actors);
  const askedMs = performance.now();
  const sandbox = await contender.open();
  const clock = new HostClock();
  const seat = new Seat(seatIndex, contender, sandbox, plan, clock);
  const cancel = (): void => seat.cancel();
  signal?.addEventListener("abort", cancel);
  let fault: FaultReply | undefined;
  try {
    if (signal?.aborted) cancel();
    const ready = await seat.start();
    if (ready.kind === "ready") request.onReady?.("dry_run", performance.now() - askedMs);
    fault = faultOf(ready);
    if (fault === undefined) {
      const reply = await seat.ask(episodes, 0);
      fault = faultOf(reply) ?? judge(episodes, at(seatIndex, reply)).guilty[0] ?? (await written(seat));
    }
  } finally {
    signal?.removeEventListener("abort", cancel);
    await seat.close(fault === undefined);
    clock.close();
  }
  signal?.throwIfAborted();
  const log = cleanDetail(seat.log.content().toString("utf8").slice(-LOG_CHARS));
  return {
    stamp: sandbox.stamp,
    wrong: fault === undefined ? undefined : { fault: fault.fault, detail: fault.detail, log },
  };
}

function at(index: number, reply: Reply): (Reply | undefined)[] {
  return Array.from({ length: index + 1 }, (_, seat) => (seat === index ? reply : undefined));
}

function faultOf(reply: Reply): FaultReply | undefined {
  if (reply.kind === "infra") throw new SandboxError("fault", reply.detail);
  return reply.kind === "fault" ? reply : undefined;
}

/** What the agent wrote while nothing was asked of it. */
async function written(seat: Seat): Promise<FaultReply | undefined> {
  await new Promise((resolve) => setTimeout(resolve, LISTEN_MS));
  return seat.latentFault;
}
