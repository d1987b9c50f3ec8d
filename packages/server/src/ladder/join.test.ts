/** What joins a ladder is what may be on it at that moment, whatever was so when it was handed in. */
import { v7 as uuid } from "uuid";
import { afterEach, expect, it } from "vitest";
import { reviveJob } from "../jobs/cancel.ts";
import { claim } from "../jobs/claim.ts";
import { endJob, failAttempt } from "../jobs/finish.ts";
import { inTransaction } from "../jobs/transaction.ts";
import { submit } from "../submissions/submit.ts";
import { freeze } from "./change-ladder.ts";
import { findLadder } from "./rows.ts";
import { LadderApp } from "./testing/ladder-app.ts";

const open: LadderApp[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function world() {
  const at = await LadderApp.open();
  open.push(at);
  const { app } = at;
  const ladder = await at.ladder({ agentsPerParticipant: 1 });
  const ada = await at.user("ada");
  const worker = { id: uuid(), name: "w", kinds: ["validate"], tiers: ["container"], queues: ["default"] };
  let handed = 0;

  /** Gives its submission's id. */
  const handIn = async (agentName: string): Promise<string> =>
    await inTransaction(app, async (tx) => {
      const space = await tx.selectFrom("spaces").selectAll().where("id", "=", at.space).executeTakeFirstOrThrow();
      const bundle = { case: "zip", value: Buffer.from(`bytes ${handed++}`) } as const;
      return await submit(app, tx, { space, ladder: await findLadder(tx, ladder), userId: ada, agentName, bundle });
    });
  const run = async () => {
    const free = { cpus: 64, memoryBytes: 2 ** 40, gpus: 0, vramBytes: 0 };
    const [job] = await claim(app, { ...worker, tokenQueues: [], spaceId: null }, 1, free);
    return job!;
  };
  const valid = async (): Promise<void> => {
    const job = await run();
    const result = { valid: true, errors: [], warnings: [] };
    await inTransaction(app, (tx) =>
      endJob(app, tx, job, { outcome: { kind: "completed" }, result, replayBlob: null }),
    );
  };
  const submission = (id: string) =>
    app.db.selectFrom("submissions").selectAll().where("id", "=", id).executeTakeFirstOrThrow();
  const active = async (): Promise<string[]> => {
    const rows = await app.db
      .selectFrom("ladder_agents as l")
      .innerJoin("agents as a", "a.id", "l.agent_id")
      .select("a.name")
      .where("l.active", "=", true)
      .execute();
    return rows.map(({ name }) => name);
  };
  return { at, app, ladder, handIn, run, valid, submission, active };
}

it("a validation that ends after the ladder was frozen puts nothing on it", async () => {
  const { app, ladder, handIn, valid, submission, active } = await world();
  const first = await handIn("one");
  await valid();
  expect((await submission(first)).state).toBe("accepted");
  const late = await handIn("one");
  await inTransaction(app, async (tx) => freeze(app, tx, await findLadder(tx, ladder), true));
  await valid();
  const { state, errors, version_id } = await submission(late);
  expect({ state, errors }).toEqual({
    state: "cancelled",
    errors: ["the ladder is frozen: hand the version in again when it is open"],
  });
  const row = await app.db.selectFrom("ladder_agents").select("version_id").executeTakeFirstOrThrow();
  expect(row.version_id).toBe((await submission(first)).version_id);
  expect(await app.db.selectFrom("agent_versions").select("validation").where("id", "=", version_id).execute()).toEqual(
    [{ validation: "valid" }],
  );
  expect(await active()).toEqual(["one"]);
});

it("a validation that was set aside and is put back does not bring one agent too many", async () => {
  const { app, handIn, run, valid, submission, active } = await world();
  const lame = await handIn("one");
  await app.db.updateTable("jobs").set({ max_attempts: 1 }).execute();
  const job = await run();
  await inTransaction(app, (tx) => failAttempt(app, tx, job, { kind: "infra_fault", fault: "box" }));
  expect((await submission(lame)).state).toBe("failed");
  const other = await handIn("two");
  await valid();
  expect((await submission(other)).state).toBe("accepted");
  await inTransaction(app, (tx) => reviveJob(app, tx, job.id));
  await valid();
  expect(await submission(lame)).toMatchObject({
    state: "cancelled",
    errors: [expect.stringContaining("two is there already")],
  });
  expect(await active()).toEqual(["two"]);
  // Another version of the one that is there is none too many.
  const next = await handIn("two");
  await valid();
  expect((await submission(next)).state).toBe("accepted");
});
