/** What a grading asks of a machine, and how long it may take: from what its bundle's manifest said when it was checked. */
import type { ResourcesRow } from "../db/types.ts";
import type { OverLimits, TaskSummary } from "../jobs/task-payloads.ts";
import type { StoredSettings } from "./settings.ts";

/** A host that starves its boxes gives them more time. */
const PATIENCE = 3;
/** Seconds beside the cases' own: bundles are fetched and unpacked. */
const AROUND = 300;
const MOST_SECONDS = 7 * 86_400;
/** Before its manifest was read a bundle may be anything. */
const UNKNOWN: ResourcesRow = { cpus: 1, memoryBytes: 2 ** 30 };
const CHECK_SECONDS = 6 * 3600;

/** What stands over the bundle's own limits, as the worker is told it. */
export function overOf(settings: StoredSettings): OverLimits {
  const { caseSeconds, memoryBytes, gpus, vramBytes } = settings;
  return {
    ...(caseSeconds > 0 && { caseSeconds }),
    ...(memoryBytes > 0 && { memoryBytes }),
    ...(gpus > 0 && { gpus }),
    ...(gpus > 0 && vramBytes > 0 && { vramBytes: gpus * vramBytes }),
  };
}

/** Memory that is given twice makes somebody fail who did nothing: it has to be there for every box that may take it. */
const gpuNeeds = ({ gpus, vramBytes }: StoredSettings, boxes = 1): ResourcesRow => ({
  ...(gpus > 0 && { gpus }),
  ...(gpus > 0 && vramBytes > 0 && { vramBytes: vramBytes * boxes }),
});

export function gradingNeeds(summary: TaskSummary, settings: StoredSettings): ResourcesRow {
  const memoryBytes = (settings.memoryBytes || summary.memoryBytes) * summary.boxes;
  return { cpus: summary.cpus, memoryBytes, ...gpuNeeds(settings, summary.agentBoxes) };
}

/** More than each case may take by its own deadline: an agent that is slow is to be found at fault by that. */
export function gradingSeconds(summary: TaskSummary, settings: StoredSettings): number {
  const caseSeconds = settings.caseSeconds || summary.caseSeconds;
  return Math.min(MOST_SECONDS, Math.ceil(PATIENCE * summary.cases * caseSeconds) + AROUND);
}

export const checkNeeds = (settings: StoredSettings): ResourcesRow => ({ ...UNKNOWN, ...gpuNeeds(settings) });
export const checkSeconds = CHECK_SECONDS;
