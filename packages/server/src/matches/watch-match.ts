/**
 * A match as it is played: its state at each change, and the lines of its replay as its worker sends them. At its end
 * what did not come that way is taken out of the replay. From the seed all that is still to come is known, hidden cards
 * and an attempt that repeats this one included: until the end the first line comes without it.
 */
import { equals } from "@bufbuild/protobuf";
import { type Match, MatchSchema } from "@lanista/api/gen/lanista/v1/matches_pb";
import { sql } from "kysely";
import type { App } from "../app.ts";
import type { Caller } from "../auth/caller.ts";
import { MOVES } from "../jobs/output.ts";
import { visibleMatch } from "./access.ts";
import { matchMessages } from "./messages.ts";
import { replayText } from "./replay-text.ts";

export type WatchedEvent =
  | { readonly case: "match"; readonly value: Match }
  | { readonly case: "moves"; readonly value: { readonly attempt: number; readonly lines: string } };

const AT_ONCE = 50;
const PIECE = 256 * 1024;

/** Ends with the match. Who may no longer see it is told so: throws LanistaError `not_found`. */
export async function* watchMatch(
  app: App,
  caller: Caller,
  matchId: string,
  signal: AbortSignal,
): AsyncIterable<WatchedEvent> {
  const { job_id: jobId } = await visibleMatch(app.db, caller, matchId);
  const moves = new Moves(app, jobId);
  let last: Match | undefined;
  for await (const _ of app.events.changes([`match:${matchId}`, `job:${jobId}`], signal)) {
    // Asked before the moves are read, so that what is stored with the end is seen with it.
    const row = await visibleMatch(app.db, caller, matchId);
    const [match] = await matchMessages(app.db, caller, [row]);
    const over = match!.state === "ended" || match!.state === "dead";
    const changed = last === undefined || !equals(MatchSchema, last, match!);
    last = match!;
    if (changed && !over) yield { case: "match", value: match! };
    yield* moves.come(over);
    if (!over) continue;
    // Who watches is to hear of the end, also where its record cannot be read.
    const text = await replayText(app, row).catch((error: unknown) => {
      app.log.error({ err: error, match: matchId }, "a match's replay cannot be read");
      return null;
    });
    if (text !== null) yield* moves.rest(text);
    yield { case: "match", value: match! };
    return;
  }
}

class Moves {
  readonly #app: App;
  readonly #jobId: string;
  #attempt = 0;
  #seq = -1;
  /** What was sent of this attempt. */
  #sent: string[] = [];

  constructor(app: App, jobId: string) {
    this.#app = app;
    this.#jobId = jobId;
  }

  async *come(over: boolean): AsyncIterable<WatchedEvent> {
    for (;;) {
      const pieces = await this.#app.db
        .selectFrom("job_output")
        .select(["attempt", "seq", "text"])
        .where("job_id", "=", this.#jobId)
        .where(sql<boolean>`(attempt, seq) > (${this.#attempt}, ${this.#seq})`)
        .where("seat", "=", MOVES)
        .orderBy("attempt")
        .orderBy("seq")
        .limit(AT_ONCE)
        .execute();
      for (const { attempt, seq, text } of pieces) {
        if (attempt !== this.#attempt) this.#sent = [];
        this.#attempt = attempt;
        this.#seq = seq;
        const isFirst = this.#sent.length === 0;
        this.#sent.push(text);
        yield { case: "moves", value: { attempt, lines: isFirst && !over ? withoutSeed(text) : text } };
      }
      if (pieces.length < AT_ONCE) return;
    }
  }

  /** What of the replay has not been sent; all of it, as of an attempt anew, where something else has. */
  async *rest(replay: string): AsyncIterable<WatchedEvent> {
    const sent = this.#sent.join("");
    const goesOn = replay.startsWith(sent);
    const attempt = Math.max(1, goesOn ? this.#attempt : this.#attempt + 1);
    for (let at = goesOn ? sent.length : 0; at < replay.length; at += PIECE)
      yield { case: "moves", value: { attempt, lines: replay.slice(at, at + PIECE) } };
  }
}

/** Lines of which the first is a replay's header: it comes in one piece with those after it, if it comes at all. */
function withoutSeed(lines: string): string {
  const [first = ""] = lines.split("\n", 1);
  let header: unknown;
  try {
    header = JSON.parse(first);
  } catch {
    return lines;
  }
  if (typeof header !== "object" || header === null || Array.isArray(header)) return lines;
  return JSON.stringify({ ...header, seed: null, chance: null }) + lines.slice(first.length);
}
