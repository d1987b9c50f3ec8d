import { create } from "@bufbuild/protobuf";
import {
  ListSchedulesResponseSchema,
  type Schedule,
  ScheduledAction,
  ScheduleSchema,
} from "@lanista/api/gen/lanista/v1/schedules_pb";
import { Argument, Command } from "commander";
import type { Context } from "../context.ts";
import { addRemoteOptions, type RemoteOptions } from "../remote/options.ts";
import { print, rows } from "../remote/print.ts";
import { pages, remote } from "../remote/remote.ts";
import { timeText } from "../remote/words.ts";
import { writeJson, writeLine } from "../terminal.ts";

const ACTIONS: Readonly<Record<string, ScheduledAction>> = {
  freeze: ScheduledAction.FREEZE,
  unfreeze: ScheduledAction.UNFREEZE,
  round: ScheduledAction.ROUND,
};

export function scheduleCommand(context: Context): Command {
  const schedule = new Command("schedule").description("schedules: what happens to a ladder by itself, by the clock");

  addRemoteOptions(schedule.command("create"))
    .description("freeze a ladder, open it again or play a round of it, whenever it is time")
    .argument("<ladder>", "SPACE/LADDER, or its id")
    .addArgument(new Argument("<action>", "what happens").choices(Object.keys(ACTIONS)))
    .argument("<cron>", "when: minute, hour, day of the month, month, day of the week")
    .option("--time-zone <zone>", "whose clock, such as Europe/Berlin", "UTC")
    .addHelpText("after", '\nExample:\n  $ lanista schedule create winter/hex freeze "0 18 * * 5"')
    .action(async (which: string, action: string, cron: string, options: RemoteOptions & { timeZone: string }) => {
      const client = await remote(context, options);
      const ladderId = (await client.ladders.getLadder({ ladder: which })).ladder!.id;
      const wanted = { ladderId, action: ACTIONS[action]!, cron, timeZone: options.timeZone };
      const made = (await client.schedules.createSchedule(wanted)).schedule!;
      print(context, options, ScheduleSchema, made, () => scheduleTable([made]));
    });

  addRemoteOptions(schedule.command("list"))
    .description("list a space's schedules")
    .requiredOption("--space <space>", "the space")
    .addHelpText("after", "\nExample:\n  $ lanista schedule list --space winter")
    .action(async (options: RemoteOptions & { space: string }) => {
      const client = await remote(context, options);
      const all = create(ListSchedulesResponseSchema);
      for await (const answer of pages((page) => client.schedules.listSchedules({ space: options.space, page })))
        all.schedules.push(...answer.schedules);
      print(context, options, ListSchedulesResponseSchema, all, () => scheduleTable(all.schedules));
    });

  addRemoteOptions(schedule.command("delete"))
    .description("let it happen no more")
    .argument("<schedule>", "its id, see schedule list")
    .addHelpText("after", "\nExample:\n  $ lanista schedule delete 0195…")
    .action(async (scheduleId: string, options: RemoteOptions) => {
      await (await remote(context, options)).schedules.deleteSchedule({ scheduleId });
      if (options.json) writeJson(context.terminal, { schedule: scheduleId, deleted: true });
      else writeLine(context.terminal, "Deleted.");
    });

  return schedule;
}

function scheduleTable(schedules: readonly Schedule[]): string {
  return rows(
    ["action", "when", "clock", "next", "last", "ladder", "id", ""],
    schedules.map((each) => [
      ScheduledAction[each.action].toLowerCase(),
      each.cron,
      each.timeZone,
      timeText(each.nextRunAt),
      timeText(each.lastRunAt),
      each.ladderId,
      each.id,
      each.lastError,
    ]),
    "no schedules",
  );
}
