/** What a schedule does when its time has come. */
import { LanistaError } from "@lanista/api/errors";
import type { Selectable } from "kysely";
import { v7 as uuid } from "uuid";
import type { App } from "../app.ts";
import type { Tx } from "../db/database.ts";
import type { SchedulesTable } from "../db/types.ts";
import { inTransaction } from "../jobs/transaction.ts";
import { freeze, startRound } from "../ladder/change-ladder.ts";

type ScheduleRow = Selectable<SchedulesTable>;

/** What the ladder's state does not allow is written beside the schedule, for who made it. One that is gone does nothing. */
export async function runSchedule(app: App, id: string): Promise<void> {
  const failure = await inTransaction(app, (tx) => run(app, tx, id)).catch((error: unknown) => {
    if (error instanceof LanistaError) return error.message;
    throw error;
  });
  if (failure !== "")
    await app.db
      .updateTable("schedules")
      .set({ last_run_at: new Date(), last_error: failure })
      .where("id", "=", id)
      .execute();
}

async function run(app: App, tx: Tx, id: string): Promise<string> {
  const schedule = await tx.selectFrom("schedules").selectAll().where("id", "=", id).forUpdate().executeTakeFirst();
  if (schedule === undefined) return "";
  await act(app, tx, schedule);
  await tx.updateTable("schedules").set({ last_run_at: new Date(), last_error: "" }).where("id", "=", id).execute();
  await tx
    .insertInto("audit")
    .values({
      id: uuid(),
      actor: `schedule:${id}`,
      action: `ladder/${schedule.action}`,
      subject: schedule.ladder_id,
      space_id: schedule.space_id,
      detail: "{}",
    })
    .execute();
  return "";
}

async function act(app: App, tx: Tx, { ladder_id, action }: ScheduleRow): Promise<void> {
  const ladder = await tx
    .selectFrom("ladders")
    .selectAll()
    .where("id", "=", ladder_id)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
  switch (action) {
    case "freeze":
      await freeze(app, tx, ladder, true);
      return;
    case "unfreeze":
      await freeze(app, tx, ladder, false);
      return;
    case "round":
      await startRound(app, tx, ladder);
      return;
  }
}
