/** The kind `match`: one attempt at a match; the server repeats it after a fault of ours. */
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { BundleError, type PreparedAgent } from "@lanista/arena/agents/types";
import type { Contender } from "@lanista/arena/contender";
import type { Playable } from "@lanista/arena/episodes/built-in";
import { type PlayedMatch, playMatch } from "@lanista/arena/match";
import type { MatchResult, Outcome } from "@lanista/arena/result";
import type { OutcomeRow } from "../../db/types.ts";
import { type MatchJobResult, type MatchPayload, matchPayload } from "../../jobs/payloads.ts";
import { traceSandbox } from "../../ops/tracing.ts";
import { checkSeats, environmentsEnd, environmentsOutcome, withEnvironment } from "../bundled-source.ts";
import type { Taken } from "../prepared-bundles.ts";
import type { Workshop } from "../workshop.ts";
import type { Run, RunEnd } from "./runner.ts";

const zip = promisify(gzip);
const MAX_TEXT = 2000;

/** Throws what makes this worker unable to play it: not known here, not offered here. */
export async function runMatch(run: Run, workshop: Workshop): Promise<RunEnd> {
  const payload = matchPayload.parse(run.payload);
  const taken: Taken<PreparedAgent>[] = [];
  try {
    return await withEnvironment(run, workshop, payload, async (env) => {
      checkSeats(env, payload.seats.length);
      const contenders = await seat(run, workshop, payload, taken);
      return await reported(await play(run, workshop, payload, env, contenders));
    });
  } catch (error) {
    return environmentsEnd(error);
  } finally {
    for (const agent of taken) agent.release();
  }
}

/** `taken` gains what is to be released, also when it throws. */
async function seat(
  run: Run,
  workshop: Workshop,
  payload: MatchPayload,
  taken: Taken<PreparedAgent>[],
): Promise<readonly Contender[]> {
  const boxes = workshop.boxes(payload);
  const one = async ({ name, bundle, image }: MatchPayload["seats"][number]): Promise<Contender> => {
    if (bundle === undefined) {
      if (image === undefined) throw new Error(`the seat of ${name} has neither a bundle nor an image`);
      return boxes.imageContender(name, image);
    }
    try {
      const agent = await workshop.agent(run, bundle);
      taken.push(agent);
      return boxes.contender({ ...agent.value, name }, image);
    } catch (error) {
      if (!(error instanceof BundleError)) throw error;
      return { name, digest: bundle, entry: "", open: () => Promise.reject(error) };
    }
  };
  const seated = await Promise.allSettled(payload.seats.map(one));
  const contenders: Contender[] = [];
  for (const result of seated) {
    if (result.status === "rejected") throw result.reason;
    contenders.push(result.value);
  }
  return contenders;
}

function play(
  run: Run,
  workshop: Workshop,
  payload: MatchPayload,
  env: Playable,
  contenders: readonly Contender[],
): Promise<PlayedMatch> {
  return playMatch({
    env,
    contenders,
    seed: Number(payload.seed),
    episodes: payload.episodes,
    moveSeconds: payload.actSeconds,
    startSeconds: payload.startSeconds,
    matchSeconds: payload.matchSeconds,
    maxSteps: payload.maxSteps,
    onFault: payload.onFault,
    forfeitAfter: payload.forfeitAfter,
    forfeitTimeouts: payload.forfeitTimeouts ?? 0,
    onTooLong: "end",
    attempts: 1,
    signal: run.signal,
    onLog: (seat, chunk) => run.log(seat, chunk),
    onReady: (seat, milliseconds) => {
      const { tier } = workshop.boxOptions(payload);
      workshop.meter.started({ tier, phase: "ready", milliseconds });
      traceSandbox(run.span, `seat ${seat}`, tier, milliseconds);
    },
    onStep: (milliseconds) => workshop.meter.stepped(payload.env, milliseconds),
    ...(payload.live ? { onReplayLine: (line: string) => run.move(line) } : {}),
  });
}

async function reported({ result, replayText }: PlayedMatch): Promise<RunEnd> {
  const replayGzip = await zip(replayText);
  return { outcome: outcomeOf(result.outcome), result: resultOf(result), replayGzip };
}

export function outcomeOf(outcome: Outcome): OutcomeRow {
  const { kind } = outcome;
  const detail =
    "detail" in outcome && outcome.detail !== undefined ? { detail: outcome.detail.slice(0, MAX_TEXT) } : {};
  if (kind === "agent_fault") return { kind, seats: [...outcome.seats], fault: outcome.fault, ...detail };
  if (kind === "infra_fault" && outcome.environment) return environmentsOutcome(outcome.detail);
  if (kind === "infra_fault" && outcome.seat !== undefined) return { kind, seats: [outcome.seat], ...detail };
  return { kind, ...detail };
}

function resultOf(result: MatchResult): MatchJobResult {
  return {
    envVersion: result.envVersion,
    seats: result.seats.map((seat) => ({
      score: seat.score,
      rank: seat.rank,
      faults: seat.faults,
      faultKinds: { ...seat.faultKinds },
      detail: (seat.firstFault ?? "").slice(0, MAX_TEXT),
      digest: seat.digest,
      ...(seat.root === undefined ? {} : { root: seat.root }),
      thoughtSeconds: seat.thoughtSeconds,
      cpuSeconds: seat.cpuSeconds,
      peakMemoryBytes: seat.peakMemoryBytes,
    })),
    episodes: result.episodes,
    steps: result.steps,
    replayHash: result.replay.hash,
    timedOut: result.timedOut,
    wallSeconds: result.wallSeconds,
    engine: result.engine,
    sandbox: result.sandbox === null ? null : { ...result.sandbox },
  };
}
