/** The kind `compare`: reads submissions one after the other, and tells which are alike. */
import { join } from "node:path";
import { setImmediate as breathe } from "node:timers/promises";
import { BundleError } from "@lanista/arena/agents/types";
import { alikePairs, type Fingerprinted } from "@lanista/arena/likeness/compare";
import { bundlePrints } from "@lanista/arena/likeness/read-bundle";
import { type CompareResult, comparePayload } from "../../jobs/task-payloads.ts";
import type { Workshop } from "../workshop.ts";
import type { Run, RunEnd } from "./runner.ts";

const MAX_TEXT = 300;

export async function runCompare(run: Run, workshop: Workshop): Promise<RunEnd> {
  const { submissions, template } = comparePayload.parse(run.payload);
  const workDir = join(workshop.workDir, "compare");
  const read = (digest: string): Promise<ReadonlySet<number>> =>
    workshop.withBundle(run, digest, (path) => bundlePrints(path, workDir));
  const given = template === null ? new Set<number>() : await read(template).catch(bundlesOnly);
  const texts: Fingerprinted[] = [];
  const leftOut: { id: string; why: string }[] = [];
  for (const { id, digest } of submissions) {
    run.signal.throwIfAborted();
    try {
      texts.push({ id, prints: await read(digest) });
    } catch (error) {
      if (!(error instanceof BundleError)) throw error;
      leftOut.push({ id, why: error.message.slice(0, MAX_TEXT) });
    }
    await breathe();
  }
  const result: CompareResult = { pairs: [...alikePairs(texts, given)], compared: texts.length, leftOut };
  return { outcome: { kind: "completed" }, result };
}

/** A template that cannot be read takes nothing off. */
function bundlesOnly(error: unknown): ReadonlySet<number> {
  if (error instanceof BundleError) return new Set();
  throw error;
}
