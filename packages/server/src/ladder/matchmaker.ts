/**
 * Looks, on every server, when a match ended and each second, which ladders have room for matches, and makes them. What
 * it does is found anew in the database each time, so that it does not matter which server looks, or whether one died.
 */
import { sql } from "kysely";
import type { App } from "../app.ts";
import type { Background } from "../background.ts";
import { fillLadder } from "./fill-ladder.ts";
import { finishFinals } from "./finals.ts";
import { MATCHMAKER_TOPIC } from "./topic.ts";

const EVERY_MS = 1000;
/** A ladder on which there was nobody to match is left alone so long, unless something happens on some ladder. */
const QUIET_MS = 3000;

export const matchmaker: Background = {
  name: "matchmaker",
  async start(app) {
    const stop = new AbortController();
    const running = run(app, stop.signal);
    return async () => {
      stop.abort();
      await running;
    };
  },
};

async function run(app: App, stop: AbortSignal): Promise<void> {
  const quiet = new Map<string, number>();
  let woken = false;
  const leave = app.events.subscribe(MATCHMAKER_TOPIC, () => {
    woken = true;
  });
  try {
    for await (const _ of app.events.changes([MATCHMAKER_TOPIC], stop, EVERY_MS)) {
      if (woken) quiet.clear();
      woken = false;
      try {
        await lookAtLadders(app, stop, quiet);
      } catch (error) {
        app.log.error({ err: error }, "the matchmaker could not look at the ladders");
      }
    }
  } finally {
    leave();
  }
}

/** The matches made. `quiet`: ladders with nobody to match, and until when they are left alone. */
export async function lookAtLadders(app: App, stop: AbortSignal, quiet = new Map<string, number>()): Promise<number> {
  const ladders = await laddersToFill(app);
  let sum = 0;
  for (const id of ladders) {
    if (stop.aborted) break;
    if ((quiet.get(id) ?? 0) > performance.now()) continue;
    try {
      const { made, finalsOver } = await fillLadder(app, id);
      if (finalsOver) await finishFinals(app, id, stop);
      sum += made;
      if (made === 0) quiet.set(id, performance.now() + QUIET_MS);
    } catch (error) {
      if (stop.aborted) break;
      quiet.set(id, performance.now() + QUIET_MS);
      app.log.error({ err: error, ladder: id }, "no match could be made for a ladder");
    }
  }
  for (const id of quiet.keys()) if (!ladders.includes(id)) quiet.delete(id);
  return sum;
}

/** Those with room for a match, those whose finals may be over, and frozen ones with matches still to be cancelled. */
async function laddersToFill(app: App): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    SELECT l.id FROM ladders l
    CROSS JOIN LATERAL (
      SELECT count(*) AS live, count(*) FILTER (WHERE m.reason <> 'finals') AS stray FROM matches m
      WHERE m.ladder_id = l.id AND m.rated AND m.state IN ('waiting', 'running')
    ) m
    WHERE l.state = 'open' AND m.live < (l.rules ->> 'parallelMatches')::int
       OR l.state = 'finals' AND (m.stray > 0 OR m.live < (l.rules ->> 'parallelMatches')::int)
       OR l.state = 'frozen' AND m.live > 0
    ORDER BY l.id`.execute(app.db);
  return rows.map(({ id }) => id);
}
