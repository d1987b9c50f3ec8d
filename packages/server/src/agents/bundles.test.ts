/** Whose bundles count against a quota, and whose do not. */
import { randomBytes } from "node:crypto";
import { afterEach, expect, it } from "vitest";
import { cancelJob } from "../jobs/cancel.ts";
import { endWithoutFail } from "../jobs/finish.ts";
import { inTransaction } from "../jobs/transaction.ts";
import { findLadder } from "../ladder/rows.ts";
import { LadderApp } from "../ladder/testing/ladder-app.ts";
import { submit } from "../submissions/submit.ts";

const open: LadderApp[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

const QUOTA = 1000;

async function world() {
  const at = await LadderApp.open();
  open.push(at);
  const { app } = at;
  const ladder = await at.ladder();
  const ada = await at.user("ada");
  await app.db.updateTable("spaces").set({ quota_bytes: QUOTA }).execute();
  /** Gives its validation's job. */
  const handIn = async (bytes: number): Promise<string> =>
    await inTransaction(app, async (tx) => {
      const space = await tx.selectFrom("spaces").selectAll().where("id", "=", at.space).executeTakeFirstOrThrow();
      const bundle = { case: "zip", value: randomBytes(bytes) } as const;
      const handed = { space, ladder: await findLadder(tx, ladder), userId: ada, agentName: "one", bundle };
      const id = await submit(app, tx, handed);
      const row = await tx.selectFrom("submissions").select("job_id").where("id", "=", id).executeTakeFirstOrThrow();
      return row.job_id;
    });
  const cancel = (job: string) => inTransaction(app, (tx) => cancelJob(app, tx, job, "no"));
  const fail = (id: string) =>
    inTransaction(app, async (tx) => {
      const job = await tx.selectFrom("jobs").selectAll().where("id", "=", id).forUpdate().executeTakeFirstOrThrow();
      await endWithoutFail(app, tx, job, { kind: "infra_fault", fault: "wait_timeout" });
    });
  return { handIn, cancel, fail };
}

it("what a fault of ours ended, or was cancelled, uses up no bytes of the quota; what stands does", async () => {
  const { handIn, cancel, fail } = await world();
  for (let round = 0; round < 3; round++) await fail(await handIn(900));
  await cancel(await handIn(900));
  await handIn(600);
  await expect(handIn(500)).rejects.toMatchObject({ code: "quota_exceeded" });
  await handIn(400);
});

it("but nobody fills the store by handing in and cancelling", async () => {
  const { handIn, cancel } = await world();
  await cancel(await handIn(900));
  await cancel(await handIn(900));
  await expect(handIn(900)).rejects.toMatchObject({ code: "quota_exceeded" });
  await handIn(100);
});
