/**
 * What a running job gives: the moves of its match and each seat's log, in pieces. A piece is known by its number within
 * the attempt, so one that comes again changes nothing; what goes beyond its stream's bound is cut off, and said to be.
 */
import type { JobOutput } from "@lanista/api/gen/lanista/v1/workers_pb";
import { sql } from "kysely";
import type { Db, Tx } from "../db/database.ts";
import { MOST_LOG_BYTES, MOST_MOVES_BYTES, MOST_SEATS } from "./bounds.ts";

/** The seat under which moves are stored. */
export const MOVES = -1;

interface Piece {
  readonly seq: number;
  readonly seat: number;
  readonly text: string;
}

/** Of the attempt under this fence. True where something new was stored. */
export async function storeOutput(
  tx: Tx,
  of: { readonly jobId: string; readonly fence: number },
  output: readonly JobOutput[],
): Promise<boolean> {
  const pieces = output.flatMap(pieceOf);
  if (pieces.length === 0) return false;
  // Before the attempt's row, as whoever ends the job does: its pieces' foreign key would lock the job after it.
  await tx.selectFrom("jobs").select("id").where("id", "=", of.jobId).forKeyShare().execute();
  const attempt = await tx
    .selectFrom("attempts")
    .select(["number", "output_bytes"])
    .where("job_id", "=", of.jobId)
    .where("fence", "=", of.fence)
    .forUpdate()
    .executeTakeFirst();
  if (attempt === undefined) return false;
  const known = await tx
    .selectFrom("job_output")
    .select("seq")
    .where("job_id", "=", of.jobId)
    .where("attempt", "=", attempt.number)
    .where(
      "seq",
      "in",
      pieces.map((piece) => piece.seq),
    )
    .execute();
  const seen = new Set(known.map((row) => row.seq));
  const bytes: Record<string, number> = { ...attempt.output_bytes };
  const rows: Piece[] = [];
  for (const piece of pieces) {
    if (seen.has(piece.seq)) continue;
    seen.add(piece.seq);
    const kept = keep(piece, bytes);
    if (kept !== null) rows.push(kept);
  }
  if (rows.length === 0) return false;
  await tx
    .insertInto("job_output")
    .values(rows.map((row) => ({ job_id: of.jobId, attempt: attempt.number, ...row })))
    .execute();
  await tx
    .updateTable("attempts")
    .set({ output_bytes: JSON.stringify(bytes) })
    .where("job_id", "=", of.jobId)
    .where("number", "=", attempt.number)
    .execute();
  return true;
}

/** Without NUL, which PostgreSQL's text cannot hold. */
function pieceOf({ seq, piece }: JobOutput): Piece[] {
  if (piece.case === undefined) return [];
  const [seat, text] = piece.case === "moves" ? [MOVES, piece.value] : [piece.value.seat, piece.value.text];
  if (text === "" || seat >= MOST_SEATS) return [];
  return [{ seq: Number(seq), seat, text: text.replaceAll("\0", "\uFFFD") }];
}

function keep(piece: Piece, bytes: Record<string, number>): Piece | null {
  const most = piece.seat === MOVES ? MOST_MOVES_BYTES : MOST_LOG_BYTES;
  const had = bytes[piece.seat] ?? 0;
  if (had > most) return null;
  const data = Buffer.from(piece.text);
  bytes[piece.seat] = had + data.length;
  if (had + data.length <= most) return piece;
  // Moves are whole lines: half of one would not be read.
  if (piece.seat === MOVES) return null;
  const text = data
    .subarray(0, most - had)
    .toString("utf8")
    .replace(/\uFFFD+$/, "");
  return { ...piece, text: `${text}\n[cut off: more than ${most} bytes]\n` };
}

/** What was stored after `after` of the job's newest attempts, in order; at most `most` pieces. */
export async function readOutput(
  db: Db | Tx,
  jobId: string,
  after: { readonly attempt: number; readonly seq: number },
  most: number,
): Promise<{ attempt: number; seq: number; seat: number; text: string }[]> {
  return await db
    .selectFrom("job_output")
    .select(["attempt", "seq", "seat", "text"])
    .where("job_id", "=", jobId)
    .where(sql<boolean>`(attempt, seq) > (${after.attempt}, ${after.seq})`)
    .where("seat", "<>", MOVES)
    .orderBy("attempt")
    .orderBy("seq")
    .limit(most)
    .execute();
}
