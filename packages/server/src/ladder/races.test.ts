/** What organisers change while matches are made and end: nothing is rated that is not of the ladder as it is then. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, it } from "vitest";
import { inTransaction } from "../jobs/transaction.ts";
import { changeRules, freeze, startFinals, startRound } from "./change-ladder.ts";
import { fillLadder } from "./fill-ladder.ts";
import { findLadder } from "./rows.ts";
import { ladderRules } from "./rules.ts";
import { LadderApp } from "./testing/ladder-app.ts";
import { verifyLadder } from "./verify.ts";

const open: LadderApp[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function ladderOf(agents: number): Promise<{ at: LadderApp; ladder: string }> {
  const at = await LadderApp.open();
  open.push(at);
  const ladder = await at.ladder({ parallelMatches: 100 });
  for (let index = 0; index < agents; index++) await at.agent(ladder, `agent ${index}`);
  return { at, ladder };
}

/** Until somebody waits for a lock. */
async function untilLocked(at: LadderApp): Promise<void> {
  for (;;) {
    const { rows } = await at.app.database.pool.query(
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    );
    if (rows.length > 0) return;
    await sleep(10);
  }
}

it("finals that begin while a round's matches are made are played whole", async () => {
  const { at, ladder } = await ladderOf(3);
  const { app } = at;
  await inTransaction(app, async (tx) => startRound(app, tx, await findLadder(tx, ladder)));
  let filling: Promise<unknown> = Promise.resolve();
  await app.db.transaction().execute(async (tx) => {
    await tx.selectFrom("ladders").select("id").where("id", "=", ladder).forNoKeyUpdate().execute();
    const frozen = await freeze(app, tx, await findLadder(tx, ladder), true);
    await startFinals(app, tx, frozen, 1, 0);
    filling = fillLadder(app, ladder);
    await untilLocked(at);
  });
  await filling;
  await fillLadder(app, ladder);
  expect((await at.waiting(ladder)).map(({ reason }) => reason)).toEqual(new Array(6).fill("finals"));
});

it("a match of finals that were given up is none of the next ones", async () => {
  const { at, ladder } = await ladderOf(3);
  const { app } = at;
  const begin = (top: number) =>
    inTransaction(app, async (tx) => {
      const row = await findLadder(tx, ladder);
      return await startFinals(app, tx, row.state === "finals" ? await freeze(app, tx, row, true) : row, 1, top);
    });
  await begin(0);
  await fillLadder(app, ladder);
  const before = await at.waiting(ladder);
  await begin(2);
  for (const { job } of before) await at.completed(job, [1, 2]);
  expect((await findLadder(app.db, ladder)).log_length).toBe(0);
  await fillLadder(app, ladder);
  expect(await at.waiting(ladder)).toHaveLength(2);
});

it("a match of a game that the ladder is no longer of is not rated", async () => {
  const { at, ladder } = await ladderOf(2);
  const { app } = at;
  await fillLadder(app, ladder);
  const [match] = await at.waiting(ladder);
  await inTransaction(app, async (tx) => {
    const row = await findLadder(tx, ladder);
    await changeRules(app, tx, row, { ...ladderRules(row), env: "tic-tac-toe" });
  });
  await at.completed(match!.job, [1, 2]);
  expect((await findLadder(app.db, ladder)).log_length).toBe(0);
  expect(await verifyLadder(app.db, ladder)).toMatchObject({ equal: true, matches: 0 });
});

it("a report that blames a seat that is not there is no result", async () => {
  const { at, ladder } = await ladderOf(2);
  await fillLadder(at.app, ladder);
  const [match] = await at.waiting(ladder);
  await at.end(match!.job, { kind: "agent_fault", seats: [5], fault: "crash" }, [1, 2]);
  expect((await findLadder(at.app.db, ladder)).log_length).toBe(0);
});
