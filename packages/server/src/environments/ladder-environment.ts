/** What a ladder is to be played in: rules that are built in, or an environment that its space's organisers handed in. */
import { LanistaError } from "@lanista/api/errors";
import type { LadderRules } from "@lanista/api/gen/lanista/v1/ladders_pb";
import { normaliseOptions, type OptionsSchema } from "@lanista/games/options";
import type { Tx } from "../db/database.ts";
import { envSummary } from "../jobs/environment-payloads.ts";
import { builtInEnvironment, type LadderEnvironment, optionsOf, withOptions } from "../ladder/rules.ts";
import { environmentRow } from "./space-environments.ts";

/** Seconds in which a worker may have to build an environment's packages first. */
const BUILD_SECONDS = 1800;

/** Throws LanistaError `invalid`, naming the field; `conflict` where the environment was not found good. */
export async function ladderEnvironment(tx: Tx, spaceId: string, rules: LadderRules): Promise<LadderEnvironment> {
  if (rules.environmentId === "") return builtInEnvironment(rules);
  const field = "rules.environment_id";
  const row = await environmentRow(tx, rules.environmentId);
  if (row === undefined || row.space_id !== spaceId)
    throw new LanistaError("invalid", `the space has no environment "${rules.environmentId}"`, { field });
  if (row.state !== "ready" || row.summary === null)
    throw new LanistaError("conflict", `the environment is ${row.state}: only one that was found good is played in`, {
      field,
      hint: "See what was found: lanista env uploaded.",
    });
  const summary = envSummary.parse(row.summary);
  if (rules.env !== "" && rules.env !== summary.id)
    throw new LanistaError("invalid", `this environment is ${summary.id}, not ${rules.env}`, { field: "rules.env" });
  const options = withOptions(() => normaliseOptions(summary.options as OptionsSchema, optionsOf(rules.optionsJson)));
  return {
    env: summary.id,
    options,
    // Other options than the defaults may make other seats; a match that finds out otherwise is the environment's fault.
    seats: summary.seatsFixed || rules.seats === 0 ? summary.seats.length : rules.seats,
    environment: {
      id: row.id,
      bundle: row.digest,
      files: summary.files,
      memoryBytes: summary.memoryBytes,
      cpus: summary.cpus,
      openSeconds: summary.openSeconds + (summary.packages ? BUILD_SECONDS : 0),
    },
  };
}
