/** Matches as messages. */
import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { type Match, MatchSchema } from "@lanista/api/gen/lanista/v1/matches_pb";
import { atLeast, roleIn } from "../auth/access.ts";
import type { Caller } from "../auth/caller.ts";
import type { Db, Tx } from "../db/database.ts";
import { outcomeMessage } from "../jobs/messages.ts";
import type { MatchRow } from "./access.ts";

/** In the order of the rows, as this caller may see them: what a private board hides, its matches hide too. */
export async function matchMessages(db: Db | Tx, caller: Caller, rows: readonly MatchRow[]): Promise<Match[]> {
  if (rows.length === 0) return [];
  const ids = rows.map(({ id }) => id);
  const seats = await db
    .selectFrom("match_seats as s")
    .leftJoin("agents as a", "a.id", "s.agent_id")
    .leftJoin("agent_versions as v", "v.id", "s.version_id")
    .selectAll("s")
    .select(["a.owner_id", "v.number as version_number"])
    .where("s.match_id", "in", ids)
    .orderBy("s.match_id")
    .orderBy("s.seat")
    .execute();
  const jobs = await db
    .selectFrom("jobs")
    .select(["id", "state"])
    .where(
      "id",
      "in",
      rows.map(({ job_id }) => job_id),
    )
    .execute();
  const open = await openLadders(db, caller, rows);
  return rows.map((row) => {
    const over = row.state === "ended" || row.state === "dead";
    return create(MatchSchema, {
      id: row.id,
      jobId: row.job_id,
      spaceId: row.space_id ?? "",
      ladderId: row.ladder_id ?? "",
      env: row.env,
      environmentFiles: row.env_files ?? "",
      optionsJson: JSON.stringify(row.options),
      seed: over ? row.seed : "",
      seats: seats
        .filter((seat) => seat.match_id === row.id)
        .map((seat) => ({
          agentId: seat.agent_id ?? "",
          agentName: seat.name,
          versionId: seat.version_id ?? "",
          versionNumber: seat.version_number ?? 0,
          faults: seat.faults,
          fault: seat.fault,
          ...(seat.score === null ? {} : { score: seat.score }),
          ...(seat.rank === null ? {} : { rank: seat.rank }),
          ...(seat.mu_before === null || seat.mu_after === null || !mayRate(seat.owner_id, row)
            ? {}
            : { muBefore: seat.mu_before, muAfter: seat.mu_after }),
        })),
      // Between two attempts it waits again, and only the job knows.
      state: over ? row.state : (jobs.find(({ id }) => id === row.job_id)?.state ?? row.state),
      ...(row.outcome === null ? {} : { outcome: outcomeMessage(row.outcome) }),
      rated: row.rated,
      reason: row.reason,
      createdAt: timestampFromDate(row.created_at),
      ...(row.ended_at === null ? {} : { endedAt: timestampFromDate(row.ended_at) }),
      replayHash: row.replay_hash,
      episodes: row.episodes,
      steps: BigInt(row.steps),
    });
  });

  function mayRate(owner: string | null, row: MatchRow): boolean {
    return open.has(row.ladder_id ?? "") || (caller.user !== null && owner === caller.user.id);
  }
}

/** The ladders whose ratings the caller may see all of. */
async function openLadders(db: Db | Tx, caller: Caller, rows: readonly MatchRow[]): Promise<Set<string>> {
  const ids = [...new Set(rows.flatMap(({ ladder_id }) => ladder_id ?? []))];
  if (ids.length === 0) return new Set();
  const ladders = await db.selectFrom("ladders").select(["id", "space_id", "public"]).where("id", "in", ids).execute();
  const open = new Set<string>();
  for (const { id, space_id, public: isPublic } of ladders)
    if (isPublic || atLeast((await roleIn(db, caller, space_id)) ?? "guest", "organiser")) open.add(id);
  return open;
}
