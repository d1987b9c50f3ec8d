/**
 * A match, from a request to a result: attempts until one was not ended by a fault of ours, then the files.
 *
 * Every attempt has the same seed, so it is the same match. After the last one the fault stands as `infra_fault`, never as
 * anybody's loss; if every attempt failed in the box of one seat, the result names that seat, and a person should look:
 * it may be an agent that knows how to break its box in a way that looks like ours.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Attempt, type AttemptRecord } from "./attempt.ts";
import { HostClock } from "./host-clock.ts";
import { type MatchPlan, type MatchRequest, planMatch } from "./match-plan.ts";
import { writeReplayFile } from "./replay-file.ts";
import type { EnvironmentResult, MatchResult, Outcome } from "./result.ts";
import { ENGINE_VERSION } from "./version.ts";

export interface PlayedMatch {
  readonly result: MatchResult;
  readonly replayText: string;
  /** The last position, as text; null where no episode began. */
  readonly board: string | null;
}

/**
 * Plays a match. Throws a RangeError on a request that makes no sense, SandboxError `refused` on what this host cannot
 * enforce, and, unless `onTooLong` is `end`, a ReplayError as soon as the match is longer than a replay can be. What agents or hosts do wrong is in the result, and so is what could not be written: the match was played all the same.
 */
export async function playMatch(request: MatchRequest): Promise<PlayedMatch> {
  const plan = planMatch(request);
  const began = performance.now();
  const host = new HostClock();
  try {
    const failures: (Outcome & { kind: "infra_fault" })[] = [];
    for (;;) {
      plan.onProgress?.({ kind: "started", attempt: failures.length + 1 });
      const remainingMs = plan.matchSeconds * 1000 - (performance.now() - began);
      const record = await new Attempt(plan, host, remainingMs).play();
      const attempts = failures.length + 1;
      if (record.outcome.kind === "infra_fault") {
        failures.push(record.outcome);
        const late = performance.now() - began >= plan.matchSeconds * 1000;
        // An environment that fails plays the same episodes again, and fails again.
        const again = record.outcome.environment !== true && attempts < plan.attempts;
        if (again && !plan.signal?.aborted && !late) {
          plan.onProgress?.({ kind: "repeat", detail: record.outcome.detail });
          continue;
        }
        return await finish(plan, record, setAside(plan, failures), attempts, began);
      }
      return await finish(plan, record, record.outcome, attempts, began);
    }
  } finally {
    host.close();
  }
}

function setAside(plan: MatchPlan, failures: readonly (Outcome & { kind: "infra_fault" })[]): Outcome {
  const last = failures.at(-1)!;
  if (last.environment) return last;
  const { seat } = last;
  // Who asked for one attempt repeats by himself, and judges what follows whom.
  if (plan.attempts === 1) return last;
  const follows = seat !== undefined && failures.length > 1 && failures.every((failure) => failure.seat === seat);
  if (!follows) return { kind: "infra_fault", detail: last.detail };
  const name = plan.contenders[seat]!.name;
  const detail = `set aside for a person: each of ${failures.length} attempts failed in the box of seat ${seat} (${name}); last: ${last.detail}`;
  return { kind: "infra_fault", detail, seat };
}

function logName(plan: MatchPlan, who: string): string | undefined {
  if (plan.logs !== undefined) return join(plan.logs, `${who}.log`);
  if (plan.replay === undefined) return undefined;
  const base = basename(plan.replay).replace(/(\.jsonl|\.replay)?(\.gz)?$/, "");
  return join(dirname(plan.replay), `${base}.${who}.log`);
}

async function environmentResult(
  { source }: MatchPlan,
  { environment }: AttemptRecord,
  writtenLog: (who: string, log: Buffer) => Promise<string | null>,
): Promise<EnvironmentResult | undefined> {
  const { bundle } = source;
  if (bundle === undefined) return undefined;
  if (environment === undefined) return { bundle, sandbox: null, log: null };
  return { bundle, sandbox: environment.stamp, log: await writtenLog("environment", environment.log) };
}

async function finish(
  plan: MatchPlan,
  record: AttemptRecord,
  outcome: Outcome,
  attempts: number,
  began: number,
): Promise<PlayedMatch> {
  const unwritten: { file: string; error: string }[] = [];
  const written = async (file: string | undefined, write: (file: string) => Promise<void>): Promise<string | null> => {
    if (file === undefined) return null;
    try {
      await write(file);
      return file;
    } catch (error) {
      unwritten.push({ file, error: error instanceof Error ? error.message : String(error) });
      return null;
    }
  };
  const replay = await written(plan.replay, (file) => writeReplayFile(file, record.replayText));
  const writtenLog = (who: string, log: Buffer): Promise<string | null> =>
    written(logName(plan, who), async (file) => {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, log);
    });
  const logs: (string | null)[] = [];
  for (const [index, seat] of record.seats.entries()) logs.push(await writtenLog(`seat-${index}`, seat.log));
  const environment = await environmentResult(plan, record, writtenLog);
  const { id, version, options } = plan.source;
  const result: MatchResult = {
    outcome,
    env: id,
    envVersion: version,
    options,
    ...(environment === undefined ? {} : { environment }),
    seed: plan.seed,
    seats: record.seats.map((seat, index) => ({
      agent: plan.contenders[index]!.name,
      digest: seat.digest,
      ...(seat.root === undefined ? {} : { root: seat.root }),
      score: seat.score,
      rank: seat.rank,
      faults: seat.faults,
      faultKinds: seat.faultKinds,
      firstFault: seat.firstFault,
      log: logs[index]!,
      logCut: seat.logCut,
      thoughtSeconds: seat.thoughtMs / 1000,
      cpuSeconds: seat.usage?.cpuSeconds ?? 0,
      peakMemoryBytes: seat.usage?.peakMemoryBytes ?? 0,
    })),
    episodes: record.episodes,
    steps: record.steps,
    replay: { file: replay, hash: record.hash },
    unwritten,
    sandbox: record.stamp,
    timedOut: record.timedOut,
    attempts,
    wallSeconds: (performance.now() - began) / 1000,
    engine: ENGINE_VERSION,
  };
  return { result, replayText: record.replayText, board: record.board };
}
