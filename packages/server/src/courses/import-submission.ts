/**
 * What was handed in elsewhere, with what it got there: it arrived when it arrived there, counts as its owner's, and no job grades it.
 * A key names it at its source, so that bringing it twice brings it once; what is said of it there may change, and changes here until
 * somebody has it graded here.
 */
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { LanistaError } from "@lanista/api/errors";
import {
  ImportSubmissionResponse_Change as Change,
  type ImportSubmissionRequest,
} from "@lanista/api/gen/lanista/v1/grades_pb";
import { sql } from "kysely";
import { v7 as uuid } from "uuid";
import { lockMember } from "../agents/bundles.ts";
import { type Measured, takeForAnother } from "../agents/handed.ts";
import type { App } from "../app.ts";
import type { SpaceRow } from "../auth/access.ts";
import type { Tx } from "../db/database.ts";
import { extensionOf } from "./extensions.ts";
import { type Holder, lockHeld, nextNumber } from "./held.ts";
import { addImportedGrade } from "./imported-grade.ts";
import { lateSeconds, ownDeadline } from "./lateness.ts";
import { settingsOf } from "./settings.ts";
import type { TaskRow } from "./tasks.ts";

/** A clock over there may be a little ahead. */
const AHEAD_MS = 300_000;

interface Imported {
  readonly id: string;
  readonly change: Change;
}

/** `by` uploaded the bundle. `task` was read by shareTask. Throws LanistaError. */
export async function importSubmission(
  app: App,
  tx: Tx,
  space: SpaceRow,
  task: TaskRow,
  by: string,
  request: ImportSubmissionRequest,
): Promise<Imported> {
  const email = request.email.toLowerCase();
  await lockHeld(tx, space.id, email);
  const holder = await holderOf(tx, space.id, email);
  if (holder.owner !== null) await lockMember(tx, space.id, holder.owner);
  const before = await tx
    .selectFrom("task_submissions")
    .select(["id", "owner_id", "held_for", "import_fingerprint"])
    .where("task_id", "=", task.id)
    .where("import_key", "=", request.key)
    .forUpdate()
    .executeTakeFirst();
  if (before === undefined) return await bring(app, tx, task, by, holder, request);
  if (before.owner_id !== null && before.owner_id !== holder.owner)
    throw new LanistaError("conflict", "it is here already, and somebody else's", { field: "email" });
  const moved = before.held_for !== holder.held;
  if (!moved && before.import_fingerprint === request.fingerprint) return { id: before.id, change: Change.UNCHANGED };
  const { counts, fingerprint } = request;
  const place = { owner_id: holder.owner, held_for: holder.held, number: await nextNumber(tx, task.id, holder) };
  await tx
    .updateTable("task_submissions")
    .set({ counts, import_fingerprint: fingerprint, ...(moved && place), ...(await times(tx, task, holder, request)) })
    .where("id", "=", before.id)
    .execute();
  await addImportedGrade(tx, task, before.id, request);
  return { id: before.id, change: Change.UPDATED };
}

/** Throws LanistaError `not_found` where no member and no invitation has the address. */
async function holderOf(tx: Tx, spaceId: string, email: string): Promise<Holder> {
  const { rows } = await sql<{ user_id: string | null; confirmed: boolean | null; invited: boolean }>`
    SELECT m.user_id, u."emailVerified" AS confirmed, EXISTS (
      SELECT FROM invitations i WHERE i.email = ${email} AND i.space_id = ${spaceId} AND i.uses_left > 0
        AND i.revoked_at IS NULL AND i.expires_at > now()) AS invited
    FROM (SELECT 1) AS one LEFT JOIN "user" u ON u.email = ${email}
    LEFT JOIN members m ON m.user_id = u.id AND m.space_id = ${spaceId}`.execute(tx);
  const { user_id, confirmed, invited } = rows[0]!;
  if (user_id !== null && confirmed) return { owner: user_id, held: null };
  if (user_id === null && !invited)
    throw new LanistaError("not_found", `nobody in the course has the address ${email}, and nobody is invited by it`, {
      field: "email",
      hint: "Import the roster first.",
    });
  return { owner: null, held: email };
}

async function times(
  tx: Tx,
  task: TaskRow,
  { owner }: Holder,
  { arrivedAt }: ImportSubmissionRequest,
): Promise<{ arrived_at: Date; late_seconds: number }> {
  const arrived = timestampDate(arrivedAt!);
  if (!(arrived.getTime() >= 0 && arrived.getTime() <= Date.now() + AHEAD_MS))
    throw new LanistaError("invalid", "that is no time at which anything was handed in", { field: "arrived_at" });
  const until = owner === null ? null : await extensionOf(tx, task.id, owner);
  const late = lateSeconds(arrived, ownDeadline(task, until), settingsOf(task).graceMinutes);
  return { arrived_at: arrived, late_seconds: late };
}

async function bring(
  app: App,
  tx: Tx,
  task: TaskRow,
  by: string,
  holder: Holder,
  request: ImportSubmissionRequest,
): Promise<Imported> {
  const { bundle, key, fingerprint, counts } = request;
  if (bundle.case === undefined)
    throw new LanistaError("invalid", "it is not here yet, so its bundle is needed", { field: "bundle" });
  const when = await times(tx, task, holder, request);
  const { digest, size }: Measured = await takeForAnother(app, tx, task.space_id, by, bundle);
  const id = uuid();
  const inserted = await tx
    .insertInto("task_submissions")
    .values({
      id,
      space_id: task.space_id,
      task_id: task.id,
      owner_id: holder.owner,
      held_for: holder.held,
      number: await nextNumber(tx, task.id, holder),
      digest,
      size_bytes: size,
      // Until something has graded it.
      state: "failed",
      job_id: null,
      ...when,
      points: null,
      out_of: null,
      import_key: key,
      import_fingerprint: fingerprint,
      counts,
    })
    // Somebody brings the same for another address in this moment.
    .onConflict((conflict) =>
      conflict.columns(["task_id", "import_key"]).where("import_key", "is not", null).doNothing(),
    )
    .executeTakeFirst();
  if (inserted.numInsertedOrUpdatedRows === 0n)
    throw new LanistaError("conflict", "it is here already, and somebody else's", { field: "email" });
  await addImportedGrade(tx, task, id, request);
  return { id, change: Change.BROUGHT };
}
