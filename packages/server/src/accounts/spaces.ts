/** Spaces, as rows and as messages. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { LanistaError } from "@lanista/api/errors";
import {
  type CreateSpaceRequest,
  SpaceKind,
  type SpaceSchema,
  type UpdateSpaceRequest,
} from "@lanista/api/gen/lanista/v1/spaces_pb";
import { sql } from "kysely";
import { validate as isUuid, v7 as uuid } from "uuid";
import { atLeast, isAdministrator, type Role, requireUser, type SpaceRow } from "../auth/access.ts";
import type { Caller } from "../auth/caller.ts";
import type { Db, Tx } from "../db/database.ts";
import type { PageWanted } from "../rpc/paging.ts";
import { roleNumber } from "./members.ts";

/** Throws LanistaError `exists`, and `invalid` for a slug that would be taken for an id. */
export async function createSpace(tx: Tx, request: CreateSpaceRequest): Promise<SpaceRow> {
  const { slug, title, year, semester } = request;
  const kind = request.kind === SpaceKind.COURSE ? "course" : "competition";
  if (kind !== "course" && (year !== 0 || semester !== ""))
    throw new LanistaError("invalid", "only a course has a year and a semester", { field: "kind" });
  if (isUuid(slug)) throw new LanistaError("invalid", "a slug must not look like an id", { field: "slug" });
  const row = await tx
    .insertInto("spaces")
    .values({ id: uuid(), slug, title, kind, year, semester })
    .onConflict((conflict) => conflict.column("slug").doNothing())
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) throw new LanistaError("exists", `there is a space "${slug}" already`, { field: "slug" });
  return row;
}

export async function updateSpace(tx: Tx, { id, kind }: SpaceRow, request: UpdateSpaceRequest): Promise<SpaceRow> {
  const { title, maxRunning, maxRunningPerParticipant, dailySubmissions, quotaBytes, year, semester, join } = request;
  if (kind !== "course" && (year !== undefined || semester !== undefined || join !== undefined))
    throw new LanistaError("invalid", "only a course has a year, a semester and addresses that may join");
  const changes = {
    ...(title === undefined ? {} : { title }),
    ...(maxRunning === undefined ? {} : { max_running: maxRunning }),
    ...(maxRunningPerParticipant === undefined ? {} : { max_running_per_participant: maxRunningPerParticipant }),
    ...(dailySubmissions === undefined ? {} : { daily_submissions: dailySubmissions }),
    ...(quotaBytes === undefined ? {} : { quota_bytes: safe(quotaBytes) }),
    ...(year === undefined ? {} : { year }),
    ...(semester === undefined ? {} : { semester }),
    ...(join === undefined ? {} : { join_patterns: join.patterns.map((pattern) => pattern.toLowerCase()) }),
  };
  if (Object.keys(changes).length === 0)
    return await tx.selectFrom("spaces").selectAll().where("id", "=", id).executeTakeFirstOrThrow();
  return await tx.updateTable("spaces").set(changes).where("id", "=", id).returningAll().executeTakeFirstOrThrow();
}

function safe(bytes: bigint): number {
  if (bytes > BigInt(Number.MAX_SAFE_INTEGER))
    throw new LanistaError("invalid", "so many bytes there are not", { field: "quota_bytes" });
  return Number(bytes);
}

/** The caller's, by slug, with his role; all for an administrator. One row more than the page has. */
export async function listSpaces(
  db: Db,
  caller: Caller,
  { size, after }: PageWanted,
): Promise<(SpaceRow & { role: Role })[]> {
  const all = isAdministrator(caller);
  let query = db
    .selectFrom("spaces as s")
    .leftJoin("members as m", (join) =>
      join.onRef("m.space_id", "=", "s.id").on("m.user_id", "=", requireUser(caller).id),
    )
    .selectAll("s")
    .select("m.role as memberRole");
  if (!all) query = query.where("m.role", "is not", null);
  if (caller.spaceId !== null) query = query.where("s.id", "=", caller.spaceId);
  if (after !== null) query = query.where("s.slug", ">", String(after[0]));
  const rows = await query
    .orderBy(sql`s.slug`)
    .limit(size + 1)
    .execute();
  const staff = caller.scopes.has("organiser");
  return rows.map(({ memberRole, ...row }) => ({ ...row, role: all ? "administrator" : cut(memberRole, staff) }));
}

/** As roleIn says it: a participant's token is no staff's. */
const cut = (role: Role | null, staff: boolean): Role =>
  role === null || (atLeast(role, "assistant") && !staff) ? "participant" : role;

export function spaceMessage(row: SpaceRow, role: Role): MessageInitShape<typeof SpaceSchema> {
  return {
    id: row.id,
    slug: row.slug,
    title: row.title,
    createdAt: timestampFromDate(row.created_at),
    role: roleNumber(role),
    maxRunning: row.max_running,
    maxRunningPerParticipant: row.max_running_per_participant,
    dailySubmissions: row.daily_submissions,
    quotaBytes: BigInt(row.quota_bytes),
    kind: row.kind === "course" ? SpaceKind.COURSE : SpaceKind.COMPETITION,
    year: row.year,
    semester: row.semester,
    joinPatterns: row.join_patterns,
  };
}
