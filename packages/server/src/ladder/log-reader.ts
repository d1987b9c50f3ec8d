/** Reads a ladder's log from its front, a piece at a time: however long it is, memory stays flat. */
import type { Selectable } from "kysely";
import type { Db, Tx } from "../db/database.ts";
import type { MatchLogTable } from "../db/types.ts";

const PIECE = 1000;

export type LogRow = Selectable<MatchLogTable>;

/** The rows after number `after` and up to `last`, in order. */
export async function* readLog(db: Db | Tx, ladderId: string, after: number, last: number): AsyncGenerator<LogRow> {
  let at = after;
  while (at < last) {
    const rows = await db
      .selectFrom("match_log")
      .selectAll()
      .where("ladder_id", "=", ladderId)
      .where("number", ">", at)
      .where("number", "<=", last)
      .orderBy("number")
      .limit(PIECE)
      .execute();
    if (rows.length === 0) return;
    yield* rows;
    at = rows.at(-1)!.number;
  }
}
