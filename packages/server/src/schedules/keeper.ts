/**
 * Keeps pg-boss's schedules the same as our rows, on every server: the rows are the truth, so that one made in a moment in
 * which a server died is there all the same. Without any row pg-boss is not started at all. Of many servers one is given
 * each run; a time that passed while no server was up is made good once.
 */
import type { PgBoss } from "pg-boss";
import type { App } from "../app.ts";
import type { Background } from "../background.ts";
import { newBoss } from "./boss.ts";
import { runSchedule } from "./run-schedule.ts";

export const SCHEDULES_TOPIC = "schedules";
export const SCHEDULE_QUEUE = "schedule";
const LOOK_MS = 60_000;
const STOP_MS = 5_000;

export const scheduleKeeper: Background = {
  name: "schedules",
  async start(app) {
    const stop = new AbortController();
    const running = keep(app, stop.signal);
    return async () => {
      stop.abort();
      await running;
    };
  },
};

async function keep(app: App, stop: AbortSignal): Promise<void> {
  let boss: PgBoss | undefined;
  for await (const _ of app.events.changes([SCHEDULES_TOPIC], stop, LOOK_MS)) {
    try {
      const { count } = await app.db
        .selectFrom("schedules")
        .select((eb) => eb.fn.countAll<number>().as("count"))
        .executeTakeFirstOrThrow();
      if (boss === undefined && count > 0) boss = await startBoss(app);
      if (boss !== undefined) await reconcile(app, boss);
    } catch (error) {
      app.log.error({ err: error }, "the schedules could not be looked at");
    }
  }
  await boss?.stop({ graceful: true, timeout: STOP_MS }).catch((error: unknown) => {
    app.log.warn({ err: error }, "pg-boss did not stop well");
  });
}

async function startBoss(app: App): Promise<PgBoss> {
  const boss = newBoss(app);
  boss.on("error", (error) => app.log.error({ err: error }, "pg-boss failed"));
  await boss.start();
  await boss.createQueue(SCHEDULE_QUEUE);
  await boss.work<{ id: string }>(SCHEDULE_QUEUE, { pollingIntervalSeconds: 5 }, async (jobs) => {
    for (const { data } of jobs) await runSchedule(app, data.id);
  });
  return boss;
}

/** Adds, changes and removes what differs from the rows. */
export async function reconcile(app: App, boss: PgBoss): Promise<void> {
  const rows = await app.db.selectFrom("schedules").select(["id", "cron", "time_zone"]).execute();
  const known = await boss.getSchedules(SCHEDULE_QUEUE);
  for (const { id, cron, time_zone } of rows) {
    const same = known.find(({ key }) => key === id);
    if (same?.cron === cron && same.timezone === time_zone) continue;
    await boss.schedule(SCHEDULE_QUEUE, cron, { id }, { key: id, tz: time_zone, missed: "once" });
  }
  for (const { key } of known) if (!rows.some(({ id }) => id === key)) await boss.unschedule(SCHEDULE_QUEUE, key);
}
