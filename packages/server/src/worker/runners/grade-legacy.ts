/**
 * Grading by a bundle of aiVLE's, and what can be said of one before: that it is one, and that its packages can be had. It brings no
 * agents to be proved by. Its grade is one hidden case, since nobody knows what of its details a student may see; what the grader said
 * is in it for staff.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { RefusedBundle, takeBundlePair } from "@lanista/arena/legacy/bundle-pair";
import { gradeBundles } from "@lanista/arena/legacy/grade-bundles";
import type { LegacyGrade, LegacyOutcome } from "@lanista/arena/legacy/types";
import { PackagesError } from "@lanista/sandbox/python/packages-error";
import { LEGACY_TITLE, type LegacyMade, legacyDocument, legacyPoints } from "../../jobs/legacy-document.ts";
import {
  type GradePayload,
  LEGACY_MEMORY_BYTES,
  LEGACY_POINTS,
  LEGACY_SECONDS,
  type TaskCheckPayload,
  type TaskCheckResult,
} from "../../jobs/task-payloads.ts";
import type { Workshop } from "../workshop.ts";
import { jobGpus } from "./job-gpus.ts";
import type { Run, RunEnd } from "./runner.ts";

const MOST_TEXT = 128 * 1024;
const MAX_FINDING = 1000;
const UNSPLIT = "the agent cannot be kept in a box of its own, which the task's settings ask for (split)";

export interface LegacyDocument {
  readonly outcome: { readonly kind: LegacyOutcome["kind"]; readonly cases: string[]; readonly detail: string | null };
  readonly cases: readonly { readonly outcome: LegacyOutcome["kind"]; readonly fault: string | null }[];
}

type Asked = Pick<GradePayload, "over" | "tier" | "split">;

/** What both zips give, in boxes as the job asks for them. */
async function gradePair(
  run: Run,
  workshop: Workshop,
  payload: Asked,
  zips: { readonly grader: string; readonly agent: string },
): Promise<LegacyGrade> {
  const { memoryBytes = LEGACY_MEMORY_BYTES, caseSeconds = LEGACY_SECONDS, vramBytes } = payload.over;
  const gpus = jobGpus(run, payload.over);
  const { legacy, packages } = workshop.gradingTools({ tier: payload.tier, limits: {}, gpus });
  return await gradeBundles({
    boxes: legacy(),
    limits: { ramBytes: memoryBytes, runSeconds: caseSeconds, ...(vramBytes !== undefined && { vramBytes }) },
    packages,
    signal: run.signal,
    ...(payload.split === undefined ? {} : { split: payload.split }),
    ...zips,
  });
}

/** Why its agent could not be kept in a box of its own where that was asked for; null where it could, or was never run. */
const unsplit = ({ split }: Pick<Asked, "split">, { grade }: LegacyGrade): string | null =>
  split === "require" && grade.sandbox !== null ? grade.whyNotSplit : null;

/** Throws what is ours, or the grader's alone. */
export async function gradeLegacy(run: Run, workshop: Workshop, payload: GradePayload): Promise<LegacyDocument> {
  const outOf = payload.points ?? LEGACY_POINTS;
  return await workshop.withBundle(run, payload.task, async (grader) => {
    const { digest } = await looked(grader, workshop);
    const made = { outOf, task: digest, agent: { name: payload.name, digest: payload.agent } };
    return await workshop.withBundle(run, payload.agent, async (agent) => {
      const graded = await gradePair(run, workshop, payload, { grader, agent });
      const why = unsplit(payload, graded);
      if (why !== null) throw new Error(`${UNSPLIT}: ${why}`);
      return documentOf(graded, made);
    });
  });
}

function documentOf({ grade, site }: LegacyGrade, made: LegacyMade): LegacyDocument {
  const { outcome, value } = grade;
  // It was looked at before it was used, so something has changed since: nobody's loss.
  if (outcome.where === "grader" && (outcome.fault === "bundle" || outcome.fault === "requirements"))
    throw new Error(outcome.detail ?? outcome.fault);
  if (outcome.kind === "completed" && value === null) throw new Error("the grader came to its end without a value");
  const points = outcome.kind === "completed" ? legacyPoints(Number(value) || 0, made.outOf) : 0;
  const said = {
    grade: { ...grade, agentLog: grade.agentLog.slice(0, MOST_TEXT), cases: bounded(grade.cases) },
    site: { ...site, raw_log: site.raw_log.slice(0, MOST_TEXT), result: site.result?.slice(0, MOST_TEXT) ?? null },
  };
  const agent = { ...made.agent, digest: grade.agent.digest ?? made.agent.digest };
  return legacyDocument({ ...made, agent }, outcome, points, { said, wallSeconds: grade.wallSeconds });
}

const bounded = (cases: LegacyGrade["grade"]["cases"]): unknown =>
  JSON.stringify(cases).length <= 2 * MOST_TEXT ? cases : "longer than is kept";

export async function checkLegacy(run: Run, workshop: Workshop, payload: TaskCheckPayload): Promise<RunEnd> {
  const { packages } = workshop.gradingTools({ tier: payload.tier, limits: {} });
  try {
    const { digest, requirements } = await workshop.withBundle(run, payload.task, (path) => looked(path, workshop));
    if (requirements !== "") (await packages(requirements, run.signal)).release();
    const why = await triedSplit(run, workshop, payload);
    if (why !== null) return refused(`${UNSPLIT}: ${why}`);
    const limits = { caseSeconds: LEGACY_SECONDS, memoryBytes: LEGACY_MEMORY_BYTES, cpus: 1, boxes: 2, cases: 1 };
    const summary = { title: LEGACY_TITLE, environment: "aivle", points: LEGACY_POINTS, digest, ...limits };
    return end({ ok: true, findings: [], summary });
  } catch (error) {
    const theirs = error instanceof RefusedBundle || (error instanceof PackagesError && error.kind === "requirements");
    if (!theirs) throw error;
    return refused(error.message);
  }
}

/** By what students start from, the one agent that is known before there are any; null where there is none. */
async function triedSplit(run: Run, workshop: Workshop, payload: TaskCheckPayload): Promise<string | null> {
  const { split, template } = payload;
  if (split === undefined || template === undefined) return null;
  return await workshop.withBundle(run, payload.task, (grader) =>
    workshop.withBundle(run, template, async (agent) =>
      unsplit(payload, await gradePair(run, workshop, payload, { grader, agent })),
    ),
  );
}

function refused(message: string): RunEnd {
  const finding = { who: "task", case: null, message: message.slice(0, MAX_FINDING) };
  return end({ ok: false, findings: [finding], summary: null });
}

const end = (result: TaskCheckResult): RunEnd => ({ outcome: { kind: "completed" }, result });

/** The grader's files, beside an agent that is none. Throws RefusedBundle. */
async function looked(path: string, workshop: Workshop): Promise<{ digest: string; requirements: string }> {
  const dir = await mkdtemp(join(workshop.host.workDir, "looked-"));
  try {
    const nobody = join(dir, "agent.py");
    await writeFile(nobody, "");
    const { grader, requirements } = await takeBundlePair(path, nobody, dir);
    return { digest: grader.digest, requirements };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
