/**
 * Theory of operation. aiVLE's worker unpacks a grader's and an agent's zip into one folder, runs `bash ./bootstrap.sh` there, and
 * takes a line of its output for the result, which it and the site unpickle. Here
 *
 *   bundle-pair.ts   takes both in, through the guards of any agent's bundle, and keeps them apart
 *   run-pair.ts      runs bootstrap.sh in a box of the grader's; what it imports of the agent is answered by a proxy, and the
 *                    agent's code runs in a box of its own
 *   read-result.ts   has the result line read in a third box: nothing is unpickled outside
 *   conclude.ts      says what aiVLE's site would have stored, and how the grading ended
 *
 * The agent never runs where results are printed, so it can print none. A bundle that cannot be split (the grader hands
 * the agent an object that is no plain value, derives a class from the agent's, starts agent.py itself) is run again in one box,
 * and its grade says so. Whether it can be is decided by what the grader does, never by what the agent does.
 *
 * How it fails: what the agent or the grader does wrong is in the grade; a fault of ours is an outcome of its own, tried again
 * a few times before it is one. A host that refuses what the boxes need throws SandboxError.
 */
import { rm } from "node:fs/promises";
import { basename } from "node:path";
import type { PackageSet } from "@lanista/sandbox/python/package-sets";
import type { SandboxStamp } from "@lanista/sandbox/types";
import { BundleError } from "../agents/types.ts";
import { ENGINE_VERSION } from "../version.ts";
import type { BundleLog } from "./bundle-log.ts";
import { type BundlePair, type LegacyBundle, RefusedBundle, takeBundlePair } from "./bundle-pair.ts";
import { type Conclusion, conclude } from "./conclude.ts";
import type { LegacyBoxes } from "./legacy-boxes.ts";
import { type ReadResult, readResult } from "./read-result.ts";
import { type PairRun, runPair } from "./run-pair.ts";
import type { LegacyFault, LegacyGrade, LegacyLimits, LegacyProgress, LegacySplit, LegacyTypedGrade } from "./types.ts";

/** A set of packages in use; `note`: what is in it in another version than was asked for. */
type LegacyHeld = PackageSet & { readonly note?: string };

export interface LegacyRequest {
  readonly boxes: LegacyBoxes;
  /** A zip or a folder; the agent may be a single .py file, too. */
  readonly grader: string;
  readonly agent: string;
  readonly limits: LegacyLimits;
  /** Default `prefer`. */
  readonly split?: LegacySplit;
  /** Makes the packages of a grader's requirements.txt. Without it, a grader that has requirements is refused. */
  readonly packages?: (requirements: string, signal?: AbortSignal) => Promise<LegacyHeld>;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: LegacyProgress) => void;
}

/** How often a run that our own fault ended is tried. */
const ATTEMPTS = 3;

/**
 * Throws BundleError `not_found` where there is no bundle, SandboxError for what this host cannot enforce, and what the
 * provider of packages throws, but for requirements that cannot be met: these are the grader's fault, and in the grade.
 */
export async function gradeBundles(request: LegacyRequest): Promise<LegacyGrade> {
  let pair: BundlePair;
  try {
    pair = await takeBundlePair(request.grader, request.agent, request.boxes.workDir);
  } catch (error) {
    if (!(error instanceof RefusedBundle)) throw error;
    return ungraded(request, "bundle", error.whose, `the ${error.whose}'s bundle was refused: ${error.message}`);
  }
  try {
    return await gradePair(request, pair);
  } finally {
    await rm(pair.dir, { recursive: true, force: true });
  }
}

async function gradePair(request: LegacyRequest, pair: BundlePair): Promise<LegacyGrade> {
  const { signal, onProgress = () => {} } = request;
  let packages: LegacyHeld | null = null;
  try {
    if (pair.requirements !== "") {
      if (request.packages === undefined)
        throw new BundleError("unsupported", "the grader's requirements.txt names packages, and none can be had here");
      onProgress({ phase: "packages" });
      packages = await request.packages(pair.requirements, signal);
    }
    const preference = request.split ?? "prefer";
    onProgress({ phase: "running" });
    let { run, reading } = await runOften(request, pair, packages, preference !== "never");
    let whyNotSplit = preference === "never" ? "it was asked for" : mustBeWhole(run);
    if (run.split && whyNotSplit !== null && preference === "prefer") {
      onProgress({ phase: "again", detail: whyNotSplit });
      ({ run, reading } = await runOften(request, pair, packages, false));
    } else if (run.split) whyNotSplit = preference === "require" ? whyNotSplit : null;
    onProgress({ phase: "reading" });
    const read = await (reading ?? readLine(request.boxes, run));
    return gradeOf(request, pair, packages, run, read, whyNotSplit);
  } catch (error) {
    if (packages !== null || (error as { kind?: unknown }).kind !== "requirements") throw error;
    return ungraded(request, "requirements", "grader", `requirements.txt: ${(error as Error).message}`, pair);
  } finally {
    packages?.release();
  }
}

/** The grade of a pair that was never run. */
function ungraded(
  { grader, agent, limits }: LegacyRequest,
  fault: LegacyFault,
  where: "agent" | "grader",
  detail: string,
  pair?: BundlePair,
): LegacyGrade {
  const named = (path: string, bundle?: LegacyBundle) => ({
    name: bundle?.name ?? basename(path),
    digest: bundle?.digest ?? null,
  });
  return {
    site: { ok: false, raw_log: `lanista: ${detail}\n`, result: null, error: "RE" },
    grade: {
      format: "aivle",
      outcome: { kind: "agent_fault", verdict: "RE", fault, where, detail },
      value: null,
      suiteId: null,
      cases: [],
      split: false,
      whyNotSplit: "it was never run",
      grader: named(grader, pair?.grader),
      agent: named(agent, pair?.agent),
      packages: null,
      packagesNote: null,
      sandbox: null,
      limits,
      wallSeconds: 0,
      cpuSeconds: 0,
      peakMemoryBytes: 0,
      calls: 0,
      agentLog: "",
      engine: ENGINE_VERSION,
    },
  };
}

/** Why a split run has to be done again in one box. */
function mustBeWhole(run: PairRun): string | null {
  if (run.unsplit !== null) return run.unsplit;
  // Nothing came of it and the agent was never asked: bootstrap.sh may start the agent's files by itself.
  const idle = run.calls === 0 && run.log.candidates === 0 && run.exit !== null;
  return idle && !run.log.memoryError ? "the grader did not import the agent, and ended without a result" : null;
}

async function runOften(
  { boxes, limits, signal }: LegacyRequest,
  pair: BundlePair,
  packages: LegacyHeld | null,
  split: boolean,
): Promise<{ run: PairRun; reading: Promise<ReadResult | string> | undefined }> {
  const { ramBytes, vramBytes } = limits;
  const kind = { packages, ramBytes, ...(vramBytes === undefined ? {} : { vramBytes }) };
  for (let attempt = 1; ; attempt++) {
    // While the boxes go, the result is read already.
    let reading: Promise<ReadResult | string> | undefined;
    const onPrinted = (log: BundleLog): void => {
      const line = lineOf(log, split);
      if (line !== undefined && line !== null) reading = readResult(boxes, line);
      reading?.catch(() => {});
    };
    const run = await runPair({
      boxes,
      kind,
      pair,
      limits,
      split,
      onPrinted,
      ...(signal === undefined ? {} : { signal }),
    });
    if (run.infra === null || run.cancelled || attempt === ATTEMPTS) return { run, reading };
    await reading?.catch(() => {});
  }
}

async function readLine(boxes: LegacyBoxes, { log, split }: PairRun): Promise<ReadResult | string | null> {
  const line = lineOf(log, split);
  if (line === undefined)
    return `there are ${log.candidates} lines that could be it, and the agent may have written any`;
  return line === null ? null : await readResult(boxes, line);
}

/**
 * The line that counts; null if there is none, undefined where that cannot be told. Split, the grader alone writes here, and aiVLE
 * takes the first. In one box the agent may have written one of them.
 */
function lineOf({ candidate, candidates }: BundleLog, split: boolean): string | null | undefined {
  return !split && candidates > 1 ? undefined : candidate;
}

function gradeOf(
  { limits }: LegacyRequest,
  pair: BundlePair,
  packages: LegacyHeld | null,
  run: PairRun,
  read: ReadResult | string | null,
  whyNotSplit: string | null,
): LegacyGrade {
  const { site, outcome }: Conclusion = conclude(run, read);
  const result = read === null || typeof read === "string" ? null : read.result;
  const stamp: SandboxStamp = run.grader.stamp;
  const ends = run.sessions.flatMap(({ last }) => (last === null ? [] : [last]));
  const grade: LegacyTypedGrade = {
    format: "aivle",
    outcome,
    value: result?.cases[0]?.value ?? null,
    suiteId: result?.suiteId ?? null,
    cases: result?.cases ?? [],
    split: run.split,
    whyNotSplit,
    grader: { name: pair.grader.name, digest: pair.grader.digest },
    agent: { name: pair.agent.name, digest: pair.agent.digest },
    packages: packages?.key ?? null,
    packagesNote: packages?.note ?? null,
    sandbox: stamp,
    limits,
    wallSeconds: run.wallSeconds,
    cpuSeconds: [run.grader, ...ends].reduce((sum, { usage }) => sum + usage.cpuSeconds, 0),
    peakMemoryBytes: Math.max(...[run.grader, ...ends].map(({ usage }) => usage.peakMemoryBytes)),
    calls: run.calls,
    agentLog: run.sessions.map(({ log }) => log.text()).join(""),
    engine: ENGINE_VERSION,
  };
  return { site, grade };
}
