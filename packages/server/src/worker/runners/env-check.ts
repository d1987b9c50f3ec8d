/** The kind `env_check`: takes an environment's bundle in, and plays it by itself. What its author did wrong is in the result. */
import { type CheckedEnvironment, checkBundledEnvironment } from "@lanista/arena/bundled/check-environment";
import type { BundledEnvironment } from "@lanista/arena/bundled/take";
import { type Space, spaceJson } from "@lanista/arena/episodes/spaces";
import {
  type EnvCheckPayload,
  type EnvCheckResult,
  type EnvSummary,
  envCheckPayload,
  envSummary,
} from "../../jobs/environment-payloads.ts";
import { isAuthors } from "../bundled-source.ts";
import type { Taken } from "../prepared-bundles.ts";
import type { Workshop } from "../workshop.ts";
import type { Run, RunEnd } from "./runner.ts";

const MAX_TEXT = 2500;
const MAX_WORDS = 500;
const MAX_DESCRIPTION = 2000;

/** Throws what makes this worker unable to do it. */
export async function runEnvCheck(run: Run, workshop: Workshop): Promise<RunEnd> {
  const payload = envCheckPayload.parse(run.payload);
  let taken: Taken<BundledEnvironment> | undefined;
  try {
    taken = await workshop.environment(run, payload.environment);
    return ended(await checked(run, workshop, payload, taken.value));
  } catch (error) {
    if (!isAuthors(error)) throw error;
    return ended({ ok: false, findings: [finding("bundle", error.message)], summary: null });
  } finally {
    taken?.release();
  }
}

const ended = (result: EnvCheckResult): RunEnd => ({ outcome: { kind: "completed" }, result });

const finding = (check: string, message: string, where = ""): EnvCheckResult["findings"][number] => ({
  check,
  where,
  message: message.slice(0, MAX_TEXT),
});

async function checked(
  run: Run,
  workshop: Workshop,
  { tier, episodes, seed }: EnvCheckPayload,
  bundle: BundledEnvironment,
): Promise<EnvCheckResult> {
  const { environments: boxes } = workshop.gradingTools({ tier, limits: {} });
  const { findings, described } = await checkBundledEnvironment(boxes, bundle, {}, { episodes, seed }, run.signal);
  run.signal.throwIfAborted();
  const told = findings.map(({ check, detail, where }) => finding(check, detail, where));
  if (described === null) return { ok: false, findings: told, summary: null };
  const summary = envSummary.safeParse(summaryOf(bundle, described));
  if (!summary.success)
    return { ok: false, findings: [finding("bundle", summary.error.issues[0]!.message)], summary: null };
  // Observations may pass their bounds, as they do in Gymnasium: its author is told.
  return { ok: findings.every(({ check }) => check === "bounds"), findings: told, summary: summary.data };
}

function summaryOf(
  { manifest, digest, requirements }: BundledEnvironment,
  { seats, views }: NonNullable<CheckedEnvironment["described"]>,
): EnvSummary {
  const { limits } = manifest;
  return {
    id: manifest.id,
    version: manifest.version,
    title: manifest.title,
    description: manifest.description.slice(0, MAX_DESCRIPTION),
    files: digest,
    options: manifest.options as EnvSummary["options"],
    seats: views.map(({ action, observation }, seat) => ({
      name: seats[seat]!,
      action: words(action),
      observation: words(observation),
    })),
    seatsFixed: manifest.seats !== undefined || Object.keys(manifest.options).length === 0,
    memoryBytes: limits.memoryBytes,
    cpus: limits.cpus,
    openSeconds: limits.startSeconds + limits.resetSeconds,
    packages: requirements !== null,
  };
}

function words(space: Space): string {
  const text = JSON.stringify(spaceJson(space));
  return text.length > MAX_WORDS ? `${text.slice(0, MAX_WORDS - 1)}…` : text;
}
