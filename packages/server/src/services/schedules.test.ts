import { fromWire } from "@lanista/api/errors";
import { Ladder_State } from "@lanista/api/gen/lanista/v1/ladders_pb";
import { ScheduledAction } from "@lanista/api/gen/lanista/v1/schedules_pb";
import { v7 as uuid } from "uuid";
import { afterAll, beforeAll, expect, it } from "vitest";
import { newBoss } from "../schedules/boss.ts";
import { SCHEDULE_QUEUE } from "../schedules/keeper.ts";
import { type TestPerson, type TestServer, testServer } from "../testing/server.ts";

let server: TestServer;
let organiser: TestPerson;
let ladderId: string;

beforeAll(async () => {
  server = await testServer();
  organiser = await server.person("organiser", { organiser: true });
  const space = uuid();
  const { db } = server.database;
  await db.insertInto("spaces").values({ id: space, slug: "course", title: "Course" }).execute();
  await db.insertInto("members").values({ space_id: space, user_id: organiser.id, role: "organiser" }).execute();
  const made = await organiser.client.ladders.createLadder({
    space: "course",
    slug: "l",
    title: "l",
    rules: { env: "hex" },
  });
  ladderId = made.ladder!.id;
});
afterAll(() => server.close());

async function refused(cron: string, timeZone = ""): Promise<string> {
  const call = organiser.client.schedules.createSchedule({ ladderId, action: ScheduledAction.FREEZE, cron, timeZone });
  return await call.then(
    () => "",
    (error: unknown) => fromWire(error).field,
  );
}

it("refuses what is no time", async () => {
  expect(await refused("every friday at noon")).toBe("cron");
  expect(await refused("* * * * * *")).toBe("cron");
  expect(await refused("61 * * * *")).toBe("cron");
  expect(await refused("0 18 * * 5", "Europe/Atlantis")).toBe("time_zone");
});

it("does at its time what it says, and says when it could not", async () => {
  const { schedules } = organiser.client;
  const create = async (action: ScheduledAction): Promise<string> => {
    const { schedule } = await schedules.createSchedule({
      ladderId,
      action,
      cron: "0 18 1 1 *",
      timeZone: "Europe/Berlin",
    });
    expect(new Date(Number(schedule!.nextRunAt!.seconds) * 1000).toISOString()).toMatch(/-01-01T17:00:00/);
    return schedule!.id;
  };
  const freeze = await create(ScheduledAction.FREEZE);
  const round = await create(ScheduledAction.ROUND);
  const boss = newBoss(server.app);
  await expect
    .poll(async () => (await boss.getSchedules(SCHEDULE_QUEUE).catch(() => [])).map(({ key }) => key).sort(), {
      timeout: 15_000,
    })
    .toEqual([freeze, round].sort());
  // The time has come: what pg-boss itself sends then.
  const due = async (id: string) => {
    const sender = newBoss(server.app);
    await sender.start();
    await sender.send(SCHEDULE_QUEUE, { id });
    await sender.stop();
  };
  await due(freeze);
  const state = async () => (await organiser.client.ladders.getLadder({ ladder: ladderId })).ladder!.state;
  await expect.poll(state).toBe(Ladder_State.FROZEN);
  await due(round);
  const errors = async () =>
    (await schedules.listSchedules({ space: "course" })).schedules.map(({ lastError }) => lastError);
  await expect.poll(errors).toEqual(["", "the ladder is frozen: no round is played"]);
  await schedules.deleteSchedule({ scheduleId: freeze });
  await expect
    .poll(async () => (await boss.getSchedules(SCHEDULE_QUEUE)).map(({ key }) => key), { timeout: 15_000 })
    .toEqual([round]);
});

it("comes due by pg-boss's own clock", async () => {
  const { schedules } = organiser.client;
  const made = await schedules.createSchedule({ ladderId, action: ScheduledAction.UNFREEZE, cron: "* * * * *" });
  const ran = async () =>
    (await schedules.listSchedules({ space: "course" })).schedules.find(({ id }) => id === made.schedule!.id)!
      .lastRunAt;
  await expect.poll(ran, { timeout: 150_000, interval: 500 }).toBeDefined();
}, 180_000);
