/**
 * Every method that the contract calls a mutation, generated from the protos: called twice under one idempotency key it does
 * its work once, says the same twice, and stands in the audit log once. Methods that are none stand in it never.
 */
import { randomUUID } from "node:crypto";
import { type DescMethod, getOption } from "@bufbuild/protobuf";
import { SERVICES } from "@lanista/api/client";
import { access } from "@lanista/api/gen/lanista/v1/access_pb";
import { inTransaction } from "@lanista/server/jobs/transaction";
import { joinLadder } from "@lanista/server/ladder/join";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expected } from "./access/expected.ts";
import { type MakeRequest, REQUESTS } from "./access/requests.ts";
import { makeJob, makeMatch, makeTaskSubmission, makeWorld, type World } from "./access/world.ts";

let world: World;
beforeAll(async () => {
  world = await makeWorld();
});
afterAll(() => world.close());

const nameOf = (method: DescMethod): string => `${method.parent.name}/${method.name}`;

/** Where the table's object is in a state that allows no change: one that can be changed. */
const CHANGEABLE: Readonly<Record<string, MakeRequest>> = {
  "JobService/CancelJob": async (world) => ({ jobId: await jobIn(world, "waiting") }),
  "JobService/RetryJob": async (world) => ({ jobId: await jobIn(world, "dead") }),
  "MatchService/CancelMatch": async (world) => {
    const { match, job } = await makeMatch(world, "requested", world.people.owner.id);
    const { db } = world.server.database;
    await db
      .updateTable("matches")
      .set({ state: "waiting", outcome: null, ended_at: null })
      .where("id", "=", match)
      .execute();
    await setState(world, job, "waiting");
    return { matchId: match };
  },
  "SubmissionService/CancelSubmission": async (world, caller) => {
    const request = (await REQUESTS["SubmissionService/CancelSubmission"]!(world, caller)) as { submissionId: string };
    const { db } = world.server.database;
    const changed = db.updateTable("submissions").set({ state: "validating" }).where("id", "=", request.submissionId);
    const { job_id } = await changed.returning("job_id").executeTakeFirstOrThrow();
    await setState(world, job_id!, "waiting");
    return request;
  },
  "GradeService/CancelTaskSubmission": async (world) => {
    const id = await makeTaskSubmission(world);
    const { db } = world.server.database;
    const changed = db.updateTable("task_submissions").set({ state: "waiting", grades: 0 }).where("id", "=", id);
    const { job_id } = await changed.returning("job_id").executeTakeFirstOrThrow();
    await setState(world, job_id!, "waiting");
    return { submissionId: id };
  },
  "LadderService/StartFinals": async (world) => ({ ladderId: await openLadder(world), rounds: 1 }),
  "LadderService/Withdraw": async (world) => ({
    ladderId: await openLadder(world),
    agentId: world.agents.owner.agent,
  }),
  "SubmissionService/Submit": async (world, caller) => ({
    ...((await REQUESTS["SubmissionService/Submit"]!(world, caller)) as object),
    ladderId: await openLadder(world),
  }),
};

/** With both agents on it. */
async function openLadder(world: World): Promise<string> {
  const rules = { env: "connect-four" };
  const slug = randomUUID().slice(0, 13);
  const { ladders } = world.people.organiser.client;
  const { ladder } = await ladders.createLadder({ space: world.spaceA, slug, title: "L", rules });
  const { app } = world.server;
  for (const { agent: agentId, version: versionId } of Object.values(world.agents))
    await inTransaction(app, (tx) => joinLadder(app, tx, { ladderId: ladder!.id, agentId, versionId }));
  return ladder!.id;
}

async function jobIn(world: World, state: "waiting" | "dead"): Promise<string> {
  const id = await makeJob(world);
  await setState(world, id, state);
  return id;
}

async function setState(world: World, id: string, state: "waiting" | "dead"): Promise<void> {
  const { db } = world.server.database;
  const outcome = state === "dead" ? JSON.stringify({ kind: "infra_fault" }) : null;
  const ended = state === "dead" ? {} : { ended_at: null };
  await db
    .updateTable("jobs")
    .set({ state, outcome, queue: "private", ...ended })
    .where("id", "=", id)
    .execute();
}

const methods = Object.values(SERVICES).flatMap((service) =>
  service.methods.map((method) => ({ name: nameOf(method), service, method })),
);
const mutations = methods.filter(({ method }) => getOption(method, access).mutation);
const others = methods.filter(({ method }) => !getOption(method, access).mutation);

/** The actions of the audit log's rows that `change` made. */
async function audited(change: () => Promise<unknown>): Promise<string[]> {
  const { db } = world.server.database;
  const before = new Set((await db.selectFrom("audit").select("id").execute()).map(({ id }) => id));
  await change();
  const rows = await db.selectFrom("audit").select(["id", "action"]).execute();
  return rows.filter(({ id }) => !before.has(id)).map(({ action }) => action);
}

describe("a change", () => {
  test.each(mutations)("$name: asked for twice under one key it is made once", async ({ name, service, method }) => {
    const caller = world.callers.get("the administrator")!;
    const request = await (CHANGEABLE[name] ?? REQUESTS[name]!)(world, "the administrator");
    const headers = { "idempotency-key": randomUUID() };
    const answers: Buffer[] = [];
    const ask = async () => answers.push(await caller.answer(service, method, request, headers));
    const action = `${service.typeName}/${method.name}`;
    expect(await audited(ask)).toEqual([action]);
    expect(await audited(ask)).toEqual([]);
    expect(answers[1]).toEqual(answers[0]);
  });

  test("that is refused stands in no log, and its key is free again", async () => {
    const caller = world.callers.get("the organiser")!;
    const { service, method } = methods.find(({ name }) => name === "SpaceService/UpdateSpace")!;
    const headers = { "idempotency-key": randomUUID() };
    const ask = (space: string) => caller.answer(service, method, { space, title: "A" }, headers);
    expect(await audited(() => expect(ask(world.spaceB)).rejects.toThrow())).toEqual([]);
    expect(await audited(() => ask(world.spaceA))).toEqual([`${service.typeName}/${method.name}`]);
  });
});

describe("what is no change", () => {
  const CALLERS = ["the owner", "the administrator", "a worker", "nobody"];
  test.each(others)("$name: stands in no log", async ({ name, service, method }) => {
    const caller = CALLERS.find((one) => expected(method, one) === "passes") ?? "nobody";
    const request = await REQUESTS[name]!(world, caller);
    const call = async () => await world.callers.get(caller)!.call(service, method, request);
    expect(await audited(call)).toEqual([]);
  });
});
