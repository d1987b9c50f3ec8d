/**
 * An environment that was handed in, opened for a run: its files are taken in once for all runs, its box is the run's own. What it
 * does wrong, be it in its bundle, its requirements or its box, is an EnvironmentFault, and another attempt would meet it again.
 */
import { BundleError } from "@lanista/arena/agents/types";
import { EnvironmentBundleError } from "@lanista/arena/bundled/bundle-error";
import type { BundledSource } from "@lanista/arena/bundled/environment-boxes";
import type { BundledEnvironment } from "@lanista/arena/bundled/take";
import { type Playable, sourceOf } from "@lanista/arena/episodes/built-in";
import { EnvironmentFault } from "@lanista/arena/episodes/episodes";
import { makeEnvironment } from "@lanista/games/environment";
import { environments } from "@lanista/games/registry";
import { PackagesError } from "@lanista/sandbox/python/packages-error";
import type { OutcomeRow } from "../db/types.ts";
import { ENVIRONMENT_AT_FAULT } from "../jobs/bounds.ts";
import type { MatchPayload, ValidatePayload } from "../jobs/payloads.ts";
import type { Taken } from "./prepared-bundles.ts";
import type { Run, RunEnd } from "./runners/runner.ts";
import type { BoxWishes, Workshop } from "./workshop.ts";

const MAX_TEXT = 2000;

type Wanted = Pick<MatchPayload | ValidatePayload, "env" | "environment" | "options"> & BoxWishes;

/** Calls `use` with what is to be played in. Throws EnvironmentFault, and what makes this worker unable to do it. */
export async function withEnvironment<T>(
  run: Run,
  workshop: Workshop,
  wanted: Wanted,
  use: (env: Playable) => Promise<T>,
): Promise<T> {
  if (wanted.environment === undefined) return await use(builtIn(wanted));
  const { bundle, files } = wanted.environment;
  const taken = await workshop.environment(run, bundle).catch(asFault);
  try {
    checkFiles(taken, files);
    const { environments: boxes } = workshop.gradingTools({ tier: wanted.tier, runtime: wanted.runtime, limits: {} });
    const source: BundledSource = await boxes.source(taken.value, wanted.options, run.signal).catch(asFault);
    try {
      return await use(source);
    } finally {
      await source.close();
    }
  } finally {
    taken.release();
  }
}

function builtIn({ env, options }: Wanted): Playable {
  const definition = environments.get(env);
  if (definition === undefined) throw new Error(`this worker does not know the environment ${env}: it may be too old`);
  return makeEnvironment(definition, options);
}

/** What was checked is what is played in, and what its replay names. */
function checkFiles({ value }: Taken<BundledEnvironment>, files: string): void {
  if (value.digest !== files)
    throw new Error(`the environment's files are ${value.digest}, those that were checked ${files}`);
}

/** Throws what the environment's author has to mend as an EnvironmentFault. */
function asFault(error: unknown): never {
  if (!isAuthors(error)) throw error;
  throw new EnvironmentFault(`the environment was at fault: ${error.message}`, { cause: error });
}

/** Whether it was the bundle's author who did wrong. */
export function isAuthors(error: unknown): error is Error {
  return (
    error instanceof EnvironmentBundleError ||
    error instanceof BundleError ||
    (error instanceof PackagesError && error.kind === "requirements")
  );
}

/** The end of a run that failed by its environment; throws what it did not fail by. */
export function environmentsEnd(error: unknown): RunEnd {
  if (!(error instanceof EnvironmentFault) || error.ours) throw error;
  return { outcome: environmentsOutcome(error.message), result: null };
}

export function environmentsOutcome(detail: string): OutcomeRow {
  return { kind: "infra_fault", fault: ENVIRONMENT_AT_FAULT, detail: detail.slice(0, MAX_TEXT) };
}

/** Throws an EnvironmentFault where there are not as many seats as were asked for. */
export function checkSeats(env: Playable, seats: number): void {
  const { id, views, bundle } = sourceOf(env);
  if (bundle !== undefined && views.length !== seats)
    throw new EnvironmentFault(`the environment was at fault: ${id} has ${views.length} seats here, not ${seats}`);
}
