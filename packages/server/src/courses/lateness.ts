/**
 * How late something is, and what that costs. The arrival is fixed; the deadline is its owner's of now, so that an extension, or a
 * deadline that is moved, counts for what was handed in before as well.
 */
import { sql } from "kysely";
import type { Tx } from "../db/database.ts";
import type { StoredSettings, Times } from "./settings.ts";

const HOUR = 3600;
const DAY = 86_400;

/** The later of everybody's deadline and his own; null where there is none. */
export function ownDeadline({ deadline }: Times, until: Date | null): Date | null {
  return deadline === null || until === null || until <= deadline ? deadline : until;
}

/** Nothing is taken from then on; an extension holds it open. */
export function ownClosing({ closes_at }: Times, until: Date | null): Date | null {
  return closes_at === null || until === null || until <= closes_at ? closes_at : until;
}

/** Seconds behind the deadline, begun ones whole; 0 within the grace. */
export function lateSeconds(arrived: Date, deadline: Date | null, graceMinutes: number): number {
  if (deadline === null) return 0;
  const late = (arrived.getTime() - deadline.getTime()) / 1000;
  return late <= graceMinutes * 60 ? 0 : Math.ceil(late);
}

/** Percent of the points earned. */
export function deductionPercent(settings: StoredSettings, late: number): number {
  const { latePolicy, latePercent, lateCapPercent } = settings;
  if (late <= 0 || (latePolicy !== "per-hour" && latePolicy !== "per-day")) return 0;
  const begun = Math.ceil(late / (latePolicy === "per-hour" ? HOUR : DAY));
  return Math.min(begun * latePercent, lateCapPercent || 100);
}

/** Of one owner, or of everybody: after a deadline or an extension has changed. The same as lateSeconds. */
export async function recountLateness(tx: Tx, taskId: string, graceMinutes: number, userId?: string): Promise<void> {
  await sql`
    UPDATE task_submissions s SET late_seconds = CASE
        WHEN d.deadline IS NULL OR s.arrived_at <= d.deadline + make_interval(mins => ${graceMinutes}) THEN 0
        ELSE ceil(extract(epoch FROM date_trunc('milliseconds', s.arrived_at) - date_trunc('milliseconds', d.deadline))) END
    FROM (SELECT o.id, CASE WHEN t.deadline IS NOT NULL THEN greatest(t.deadline, e.until) END AS deadline
          FROM task_submissions o JOIN tasks t ON t.id = o.task_id
          LEFT JOIN task_extensions e ON e.task_id = o.task_id AND e.user_id = o.owner_id
          WHERE o.task_id = ${taskId} AND (${userId ?? null}::text IS NULL OR o.owner_id = ${userId ?? null})) d
    WHERE s.id = d.id`.execute(tx);
}
