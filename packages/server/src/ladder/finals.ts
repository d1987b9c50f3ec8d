/**
 * The finals' table: Bradley–Terry's strengths of all matches of the last finals, with bootstrap intervals. A pure
 * function of the log since the finals began, and so the same on every server and at every time.
 */
import { createHash } from "node:crypto";
import type { App } from "../app.ts";
import type { Db, Tx } from "../db/database.ts";
import { type FinalRow, finalTable, type RankedMatch } from "./bradley-terry.ts";
import { readLog } from "./log-reader.ts";

/** Work of one bootstrap, about, in pairs fitted: with very many matches fewer tables are drawn. */
const BUDGET = 20_000_000;
const MOST_RESAMPLES = 1000;
const LEAST_RESAMPLES = 200;

export interface FinalsTable {
  readonly rows: ReadonlyMap<string, FinalRow>;
  readonly matches: number;
}

export async function computeFinals(
  db: Db | Tx,
  ladderId: string,
  from: number,
  to: number,
  signal?: AbortSignal,
): Promise<FinalsTable> {
  const numbers = new Map<string, number>();
  const matches: RankedMatch[] = [];
  for await (const { kind, seats } of readLog(db, ladderId, from, to)) {
    if (kind !== "finals") continue;
    const agents = seats.map(({ agent }) => {
      const number = numbers.get(agent) ?? numbers.size;
      numbers.set(agent, number);
      return number;
    });
    matches.push({ agents, ranks: seats.map(({ rank }) => rank) });
  }
  const resamples = Math.min(
    MOST_RESAMPLES,
    Math.max(LEAST_RESAMPLES, Math.floor(BUDGET / Math.max(1, matches.length))),
  );
  const table = await finalTable(numbers.size, matches, {
    seed: seedOf(ladderId, from),
    resamples,
    ...(signal === undefined ? {} : { signal }),
  });
  return { rows: new Map([...numbers].map(([agent, number]) => [agent, table[number]!])), matches: matches.length };
}

function seedOf(ladderId: string, from: number): number {
  return createHash("sha256").update(`${ladderId}/${from}`).digest().readUIntBE(0, 6);
}

/** Writes the table and closes the finals, unless another match was logged meanwhile: then the next look does it. */
export async function finishFinals(app: App, ladderId: string, signal?: AbortSignal): Promise<void> {
  const ladder = await app.db.selectFrom("ladders").selectAll().where("id", "=", ladderId).executeTakeFirstOrThrow();
  if (ladder.state !== "finals" || ladder.finals_from === null) return;
  const { rows } = await computeFinals(app.db, ladderId, ladder.finals_from, ladder.log_length, signal);
  await app.db.transaction().execute(async (tx) => {
    const closed = await tx
      .updateTable("ladders")
      .set({ state: "finished" })
      .where("id", "=", ladderId)
      .where("state", "=", "finals")
      .where("log_length", "=", ladder.log_length)
      .where("plan", "is", null)
      .returning("id")
      .executeTakeFirst();
    if (closed === undefined) return;
    for (const [agent, row] of [...rows].sort(([a], [b]) => (a < b ? -1 : 1)))
      await tx
        .updateTable("ladder_agents")
        .set({ final_elo: row.elo, final_low: row.low, final_high: row.high })
        .where("ladder_id", "=", ladderId)
        .where("agent_id", "=", agent)
        .execute();
    await app.events.publish(tx, `ladder:${ladderId}`);
  });
}
