/** Makes a match of a ladder: the job that plays it, and its rows, in one transaction. */
import { randomSeed } from "@lanista/arena/seeds";
import { v7 as uuid } from "uuid";
import type { App } from "../app.ts";
import type { Tx } from "../db/database.ts";
import type { MatchesTable, ResourcesRow } from "../db/types.ts";
import { enqueue } from "../jobs/enqueue.ts";
import { needsOf } from "../jobs/needs.ts";
import type { MatchPayload } from "../jobs/payloads.ts";
import type { StoredRules } from "./rules.ts";

export interface SeatPlan {
  readonly agentId: string;
  readonly versionId: string;
  readonly name: string;
  readonly digest: string;
}

export interface MatchOrder {
  readonly ladderId: string;
  readonly spaceId: string;
  readonly rules: StoredRules;
  readonly reason: MatchesTable["reason"];
  readonly seats: readonly SeatPlan[];
  /** Who asked for it; null where the ladder itself did. */
  readonly ownerId: string | null;
}

/** Seconds beside the match's own: boxes to start and to end. */
const MARGIN = 60;

/** As a job names it. */
export function environmentOf({ environment }: StoredRules): Pick<MatchPayload, "environment"> {
  if (environment === undefined) return {};
  const { bundle, files } = environment;
  return { environment: { bundle, files } };
}

/** Its box is there beside the agents'; it thinks while they wait. */
export function withEnvironment(needs: ResourcesRow, { environment }: StoredRules): ResourcesRow {
  if (environment === undefined) return needs;
  const { cpus = 0, memoryBytes = 0 } = needs;
  return { cpus: Math.max(cpus, environment.cpus), memoryBytes: memoryBytes + environment.memoryBytes };
}

/** The match's id. */
export async function makeMatch(app: App, tx: Tx, order: MatchOrder): Promise<string> {
  const { ladderId, spaceId, rules, reason, seats, ownerId } = order;
  const id = uuid();
  const seed = String(randomSeed());
  const payload: MatchPayload = {
    env: rules.env,
    ...environmentOf(rules),
    options: rules.options,
    seed,
    episodes: rules.episodes,
    onFault: "forfeit",
    forfeitAfter: 0,
    maxSteps: 0,
    tier: rules.tier,
    limits: rules.limits,
    actSeconds: rules.actSeconds,
    startSeconds: rules.startSeconds,
    matchSeconds: rules.matchSeconds,
    seats: seats.map(({ name, digest }) => ({ name, bundle: digest })),
    live: true,
  };
  const job = await enqueue(app, tx, {
    kind: "match",
    queue: rules.queue,
    spaceId,
    ownerId,
    // One line beside the ladder's, and of no higher priority: who asks without end waits for himself, and no rating for him.
    fairKey: ownerId ?? `ladder:${ladderId}`,
    payload,
    needs: withEnvironment(needsOf(rules.limits, rules.seats), rules),
    tier: rules.tier,
    timeoutSeconds: Math.ceil(rules.startSeconds + rules.matchSeconds + (rules.environment?.openSeconds ?? 0)) + MARGIN,
  });
  await tx
    .insertInto("matches")
    .values({
      id,
      job_id: job.id,
      space_id: spaceId,
      ladder_id: ladderId,
      owner_id: ownerId,
      reason,
      env: rules.env,
      env_files: rules.environment?.files ?? null,
      options: JSON.stringify(rules.options),
      seed,
      rated: reason !== "requested",
    })
    .execute();
  await tx
    .insertInto("match_seats")
    .values(
      seats.map(({ agentId, versionId, name }, seat) => ({
        match_id: id,
        seat,
        agent_id: agentId,
        version_id: versionId,
        name,
      })),
    )
    .execute();
  await app.events.publish(tx, `match:${id}`, `ladder:${ladderId}`);
  return id;
}
