/** Ladders as messages, and by the names they are asked for. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Ladder_State, type LadderSchema } from "@lanista/api/gen/lanista/v1/ladders_pb";
import type { Selectable } from "kysely";
import { validate as isUuid } from "uuid";
import { notFound, type Role, requireRole } from "../auth/access.ts";
import type { Caller } from "../auth/caller.ts";
import type { Db, Tx } from "../db/database.ts";
import type { LaddersTable } from "../db/types.ts";
import { ladderRules, rulesMessage } from "./rules.ts";

export type LadderRow = Selectable<LaddersTable>;

const STATES = {
  open: Ladder_State.OPEN,
  frozen: Ladder_State.FROZEN,
  finals: Ladder_State.FINALS,
  finished: Ladder_State.FINISHED,
} as const;

/** By id, or by `space/ladder` in slugs, whoever asks. Throws LanistaError `not_found`. */
export async function findLadder(db: Db | Tx, name: string): Promise<LadderRow> {
  const [space, ladder, ...more] = name.split("/");
  let query = db.selectFrom("ladders as l").selectAll("l");
  if (isUuid(name)) query = query.where("l.id", "=", name);
  else if (space !== undefined && ladder !== undefined && more.length === 0 && !name.includes("\0"))
    query = query
      .innerJoin("spaces as s", "s.id", "l.space_id")
      .where("s.slug", "=", space)
      .where("l.slug", "=", ladder);
  else throw notFound("the ladder");
  const row = await query.executeTakeFirst();
  if (row === undefined) throw notFound("the ladder");
  return row;
}

/** For a member of its space with at least this role. Throws LanistaError `not_found`, `forbidden`. */
export async function requireLadder(
  db: Db | Tx,
  caller: Caller,
  name: string,
  least: Role,
): Promise<{ ladder: LadderRow; role: Role }> {
  const ladder = await findLadder(db, name);
  return { ladder, role: await requireRole(db, caller, ladder.space_id, least, "the ladder") };
}

/** The same, its row locked until the transaction ends: states change one after the other. */
export async function lockLadder(tx: Tx, caller: Caller, id: string, least: Role): Promise<LadderRow> {
  await requireLadder(tx, caller, id, least);
  return await tx.selectFrom("ladders").selectAll().where("id", "=", id).forNoKeyUpdate().executeTakeFirstOrThrow();
}

export function ladderMessage(row: LadderRow): MessageInitShape<typeof LadderSchema> {
  return {
    id: row.id,
    spaceId: row.space_id,
    slug: row.slug,
    title: row.title,
    state: STATES[row.state],
    rules: rulesMessage(ladderRules(row)),
    createdAt: timestampFromDate(row.created_at),
    agents: row.agents,
    matches: BigInt(row.log_length),
    public: row.public,
  };
}
