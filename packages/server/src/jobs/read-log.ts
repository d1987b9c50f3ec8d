/** What a job's agents wrote, piece by piece, as it comes. */
import type { App } from "../app.ts";
import { readOutput } from "./output.ts";

export interface LogPiece {
  readonly seat: number;
  readonly attempt: number;
  readonly text: string;
}

const AT_ONCE = 50;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Of these seats, or of all. Goes on until the job has ended if `follow`. */
export async function* readLog(
  app: App,
  jobId: string,
  seats: readonly number[] | null,
  follow: boolean,
  signal: AbortSignal,
): AsyncIterable<LogPiece> {
  let at = { attempt: 0, seq: -1 };
  for await (const _ of follow ? app.events.changes([`job:${jobId}`], signal) : once()) {
    // Asked before the reading: what is stored with the end is read with it.
    const over = !follow || (await isOver(app, jobId));
    for (;;) {
      const pieces = await readOutput(app.db, jobId, at, AT_ONCE);
      for (const { attempt, seq, seat, text } of pieces) {
        at = { attempt, seq };
        if (seats === null || seats.includes(seat)) yield { seat, attempt, text: text.replace(UNSAFE, "\uFFFD") };
      }
      if (pieces.length < AT_ONCE) break;
    }
    if (over) return;
  }
}

async function* once(): AsyncIterable<void> {
  yield;
}

async function isOver(app: App, jobId: string): Promise<boolean> {
  const job = await app.db.selectFrom("jobs").select("state").where("id", "=", jobId).executeTakeFirst();
  return job === undefined || job.state === "ended" || job.state === "dead";
}
