/** ScheduleService: what happens to a ladder by itself at a time. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { LanistaError } from "@lanista/api/errors";
import {
  CreateScheduleRequestSchema,
  CreateScheduleResponseSchema,
  DeleteScheduleRequestSchema,
  DeleteScheduleResponseSchema,
  ScheduledAction,
  type ScheduleSchema,
  type ScheduleService,
} from "@lanista/api/gen/lanista/v1/schedules_pb";
import type { Selectable } from "kysely";
import type { PgBoss } from "pg-boss";
import { validate as isUuid, v7 as uuid } from "uuid";
import type { App } from "../app.ts";
import { notFound, requireRole, requireSpace, requireUser } from "../auth/access.ts";
import { callerOf } from "../auth/caller.ts";
import type { SchedulesTable } from "../db/types.ts";
import { requireLadder } from "../ladder/rows.ts";
import { mutate } from "../mutate.ts";
import { pageOf, pageWanted } from "../rpc/paging.ts";
import { newBoss } from "../schedules/boss.ts";
import { SCHEDULES_TOPIC } from "../schedules/keeper.ts";

/** Of one ladder. */
const MOST_SCHEDULES = 20;

const ACTIONS = {
  freeze: ScheduledAction.FREEZE,
  unfreeze: ScheduledAction.UNFREEZE,
  round: ScheduledAction.ROUND,
} as const;

type ScheduleRow = Selectable<SchedulesTable>;

/** Five fields and no more: nobody plays a round each second. Throws LanistaError `invalid`. */
function nextRun(boss: PgBoss, cron: string, timeZone: string): Date | undefined {
  if (cron.trim().split(/\s+/).length !== 5)
    throw new LanistaError("invalid", "a schedule is a cron line of five fields, such as `0 18 * * 5`", {
      field: "cron",
    });
  try {
    new Intl.DateTimeFormat("en", { timeZone });
  } catch {
    throw new LanistaError("invalid", `"${timeZone}" is no time zone`, { field: "time_zone" });
  }
  try {
    return boss.previewSchedule(cron, { tz: timeZone, from: new Date() })[0];
  } catch {
    throw new LanistaError("invalid", `"${cron}" is no cron line`, { field: "cron" });
  }
}

export function scheduleService(app: App): ServiceImpl<typeof ScheduleService> {
  const { db } = app;
  // Never started: it only reads cron lines here.
  const boss = newBoss(app);

  const message = (row: ScheduleRow): MessageInitShape<typeof ScheduleSchema> => {
    const next = nextRun(boss, row.cron, row.time_zone);
    return {
      id: row.id,
      spaceId: row.space_id,
      ladderId: row.ladder_id,
      action: ACTIONS[row.action],
      cron: row.cron,
      timeZone: row.time_zone,
      lastError: row.last_error,
      ...(row.last_run_at === null ? {} : { lastRunAt: timestampFromDate(row.last_run_at) }),
      ...(next === undefined ? {} : { nextRunAt: timestampFromDate(next) }),
    };
  };

  return {
    createSchedule: (request, context) =>
      mutate(
        app,
        context,
        { input: CreateScheduleRequestSchema, output: CreateScheduleResponseSchema },
        request,
        async (tx, note) => {
          const caller = callerOf(context);
          const { ladder } = await requireLadder(tx, caller, request.ladderId, "organiser");
          const timeZone = request.timeZone || "UTC";
          nextRun(boss, request.cron, timeZone);
          const action = (Object.keys(ACTIONS) as (keyof typeof ACTIONS)[]).find(
            (name) => ACTIONS[name] === request.action,
          )!;
          const known = await tx.selectFrom("schedules").select("id").where("ladder_id", "=", ladder.id).execute();
          if (known.length >= MOST_SCHEDULES)
            throw new LanistaError("quota_exceeded", `the ladder has ${known.length} schedules already`);
          const row = await tx
            .insertInto("schedules")
            .values({
              id: uuid(),
              space_id: ladder.space_id,
              ladder_id: ladder.id,
              action,
              cron: request.cron,
              time_zone: timeZone,
              created_by: requireUser(caller).id,
            })
            .returningAll()
            .executeTakeFirstOrThrow();
          note.subject = row.id;
          note.spaceId = row.space_id;
          await app.events.publish(tx, SCHEDULES_TOPIC);
          return { schedule: message(row) };
        },
      ),

    async listSchedules(request, context) {
      const { space } = await requireSpace(db, callerOf(context), request.space, "organiser");
      const wanted = pageWanted(request.page, 1);
      let query = db.selectFrom("schedules").selectAll().where("space_id", "=", space.id);
      const last = wanted.after?.[0];
      if (last !== undefined && !isUuid(last))
        throw new LanistaError("invalid", "the page token is none that this list gave", { field: "page.token" });
      if (last !== undefined) query = query.where("id", ">", String(last));
      const found = await query
        .orderBy("id")
        .limit(wanted.size + 1)
        .execute();
      const { rows, nextPageToken } = pageOf(found, wanted, (row) => [row.id]);
      return { schedules: rows.map(message), nextPageToken };
    },

    deleteSchedule: (request, context) =>
      mutate(
        app,
        context,
        { input: DeleteScheduleRequestSchema, output: DeleteScheduleResponseSchema },
        request,
        async (tx, note) => {
          const row = await tx
            .selectFrom("schedules")
            .selectAll()
            .where("id", "=", request.scheduleId)
            .executeTakeFirst();
          if (row === undefined) throw notFound("the schedule");
          await requireRole(tx, callerOf(context), row.space_id, "organiser", "the schedule");
          note.subject = row.id;
          note.spaceId = row.space_id;
          await tx.deleteFrom("schedules").where("id", "=", row.id).execute();
          await app.events.publish(tx, SCHEDULES_TOPIC);
          return {};
        },
      ),
  };
}
