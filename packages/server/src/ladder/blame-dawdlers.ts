/** Makes a match that its own deadline ended the fault of who used up its time, where its replay says so. */

import { dawdlers } from "@lanista/arena/dawdling";
import type { Selectable } from "kysely";
import type { App } from "../app.ts";
import type { Tx } from "../db/database.ts";
import type { MatchesTable } from "../db/types.ts";
import type { JobEnd } from "../jobs/kinds.ts";
import { type MatchJobResult, matchPayload } from "../jobs/payloads.ts";
import { parsed, replayText } from "../matches/replay-text.ts";

export async function blameDawdlers(
  app: App,
  tx: Tx,
  match: Selectable<MatchesTable>,
  { outcome, result, replayBlob }: JobEnd<MatchJobResult>,
): Promise<void> {
  if (outcome.kind !== "cancelled" || result?.timedOut !== true || replayBlob === null) return;
  const { payload } = await tx
    .selectFrom("jobs")
    .select("payload")
    .where("id", "=", match.job_id)
    .executeTakeFirstOrThrow();
  const time = matchPayload.parse(payload);
  const text = await replayText(app, { replay_blob: replayBlob });
  const guilty = text === null ? [] : dawdlers(parsed(text), time);
  if (guilty.length === 0) return;
  const detail = `the match's ${time.matchSeconds} seconds were over, and more than a seat's part of them had been thought`;
  await tx
    .updateTable("matches")
    .set({ outcome: JSON.stringify({ kind: "agent_fault", seats: guilty, fault: "timeout", detail }) })
    .where("id", "=", match.id)
    .execute();
  const innocent = result.seats.length - guilty.length;
  for (const seat of result.seats.keys()) {
    const late = guilty.includes(seat);
    await tx
      .updateTable("match_seats")
      .set({ score: 0, rank: late ? innocent + 1 : 1, ...(late ? { fault: "timeout" } : {}) })
      .where("match_id", "=", match.id)
      .where("seat", "=", seat)
      .execute();
  }
}
