/**
 * What the table of calls × roles is tried on: two spaces, a person of every kind, machines, bad tokens, and real objects
 * that belong to one participant of space A.
 */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { SpaceKind } from "@lanista/api/gen/lanista/v1/spaces_pb";
import { makeToken } from "@lanista/server/accounts/tokens";
import type { TokenScope } from "@lanista/server/db/types";
import { type TestPerson, type TestServer, testServer } from "@lanista/server/testing/server";
import { sql } from "kysely";
import { type Connected, connected } from "./connected.ts";

export interface World {
  readonly server: TestServer;
  /** By the names of CALLERS. */
  readonly callers: ReadonlyMap<string, Connected>;
  readonly spaceA: string;
  readonly spaceB: string;
  readonly people: Readonly<Record<"owner" | "other" | "organiser" | "administrator" | "stranger", TestPerson>>;
  /** Of space A, public, without matches to come. */
  readonly ladder: string;
  /** Both on the ladder. */
  readonly agents: Readonly<Record<"owner" | "other", { readonly agent: string; readonly version: string }>>;
  readonly bundle: Buffer;
  readonly workerId: string;
  /** Of a ladder, ended, with a replay. */
  readonly match: string;
  /** Of space A, opened. */
  readonly task: string;
  close(): Promise<void>;
}

export async function makeWorld(): Promise<World> {
  const server = await testServer({ flags: { signup: "closed" } });
  const { db } = server.database;
  const person = server.person;
  const administrator = await person("administrator", { administrator: true });
  const organiser = await person("organiser", { organiser: true });
  const rival = await person("rival", { organiser: true });
  const [owner, other, stranger, leaver, guest, assistant, lecturer] = (await Promise.all(
    ["owner", "other", "stranger", "leaver", "guest", "assistant", "lecturer"].map((name) => person(name)),
  )) as [TestPerson, TestPerson, TestPerson, TestPerson, TestPerson, TestPerson, TestPerson];
  const spaceA =
    (await organiser.client.spaces.createSpace({ slug: "a", title: "A", kind: SpaceKind.COURSE })).space?.id ?? "";
  const spaceB = (await rival.client.spaces.createSpace({ slug: "b", title: "B" })).space?.id ?? "";
  await db
    .insertInto("members")
    .values([
      { space_id: spaceA, user_id: owner.id, role: "participant" },
      { space_id: spaceA, user_id: other.id, role: "participant" },
      { space_id: spaceA, user_id: guest.id, role: "guest" },
      { space_id: spaceA, user_id: assistant.id, role: "assistant" },
      { space_id: spaceA, user_id: lecturer.id, role: "organiser" },
      { space_id: spaceB, user_id: stranger.id, role: "participant" },
      // He organises B, and takes part in A.
      { space_id: spaceA, user_id: leaver.id, role: "participant" },
      { space_id: spaceB, user_id: leaver.id, role: "organiser" },
    ])
    .execute();

  const token = async (scope: TokenScope, of: TestPerson | null, more: { spaceId?: string } = {}) =>
    await makeToken(db, {
      name: "test",
      scope,
      userId: of?.id ?? null,
      createdBy: of?.id ?? null,
      spaceId: more.spaceId ?? null,
      queues: [],
      seconds: 3600,
    });
  const expired = await token("administrator", administrator);
  await db.updateTable("tokens").set({ expires_at: sql<Date>`now()` }).where("id", "=", expired.row.id).execute();
  const revoked = await token("administrator", administrator);
  await administrator.client.tokens.revokeToken({ tokenId: revoked.row.id });
  const locked = await person("locked", { administrator: true });
  await administrator.client.tokens.updateUser({ userId: locked.id, locked: true });
  const worker = await token("worker", null);

  const secrets: Record<string, string | undefined> = {
    nobody: undefined,
    garbage: "garbage",
    "a token never made": `lanista_${"A".repeat(43)}`,
    "an expired token": expired.secret,
    "a revoked token": revoked.secret,
    "a locked administrator": locked.token,
    "a participant of another space": stranger.token,
    "the organiser of another space": rival.token,
    "another participant": other.token,
    "an organiser elsewhere, participant here": leaver.token,
    "a guest": guest.token,
    "the assistant": assistant.token,
    "the lecturer": lecturer.token,
    "the owner": owner.token,
    "the organiser": organiser.token,
    "the organiser's participant token": (await token("participant", organiser)).secret,
    "the organiser's token for another space": (await token("organiser", organiser, { spaceId: spaceB })).secret,
    "the administrator": administrator.token,
    "the administrator's participant token": (await token("participant", administrator)).secret,
    "a worker": worker.secret,
    "another worker": (await token("worker", null)).secret,
    "an executor": (await token("executor", null)).secret,
  };
  const callers = new Map(Object.entries(secrets).map(([name, secret]) => [name, connected(server.urls.http, secret)]));

  const bundle = Buffer.from("a bundle is bytes to the server");
  const { digest, size } = await server.app.store.put(bundle);
  await db.insertInto("bundles").values({ digest, size_bytes: size }).execute();
  const agentOf = async (of: TestPerson) => {
    const agent = randomUUID();
    const version = randomUUID();
    await db
      .insertInto("agents")
      .values({ id: agent, space_id: spaceA, owner_id: of.id, name: `of ${of.id}` })
      .execute();
    await db
      .insertInto("agent_versions")
      .values({ id: version, agent_id: agent, number: 1, digest, size_bytes: size, validation: "valid" })
      .execute();
    return { agent, version };
  };
  const agents = { owner: await agentOf(owner), other: await agentOf(other) };
  const made = await organiser.client.ladders.createLadder({
    space: spaceA,
    slug: "l",
    title: "L",
    public: true,
    rules: { env: "connect-four" },
  });
  const ladder = made.ladder?.id ?? "";
  await db.updateTable("ladders").set({ state: "frozen" }).where("id", "=", ladder).execute();
  for (const { agent, version } of Object.values(agents))
    await db
      .insertInto("ladder_agents")
      .values({
        ladder_id: ladder,
        agent_id: agent,
        version_id: version,
        mu: 25,
        sigma: 8,
        last_match_at: null,
        rated_version_id: null,
        urgency: 1,
        held_until: null,
        day: null,
        final_elo: null,
        final_low: null,
        final_high: null,
      })
      .execute();

  const workerId = randomUUID();
  await db
    .insertInto("workers")
    .values({
      id: workerId,
      token_id: worker.row.id,
      name: "w",
      version: "1",
      queues: ["default"],
      kinds: ["match"],
      concurrency: 1,
      total: "{}",
      free: "{}",
      tiers: "[]",
      health: "{}",
    })
    .execute();

  const half: World = {
    server,
    callers,
    spaceA,
    spaceB,
    people: { owner, other, organiser, administrator, stranger },
    ladder,
    agents,
    bundle,
    workerId,
    match: "",
    task: "",
    close: () => server.close(),
  };
  const replay = readFileSync(new URL("../../replays/connect-four.jsonl", import.meta.url));
  const blob = await server.app.store.put(gzipSync(replay));
  const { match } = await makeMatch(half, "ladder", null, blob.digest);
  const { task } = await organiser.client.tasks.createTask({ space: spaceA, slug: "t", title: "T" });
  const whole = { ...half, match, task: task?.id ?? "" };
  await makeTaskVersion(whole, true);
  await db.updateTable("tasks").set({ opened: true, template_digest: digest }).where("id", "=", whole.task).execute();
  return whole;
}

/** A version that was found good. */
export async function makeTaskVersion(world: World, inUse = false): Promise<string> {
  const id = randomUUID();
  const { digest, size } = await world.server.app.store.put(world.bundle);
  const limits = { caseSeconds: 1, memoryBytes: 1, cpus: 1, boxes: 1 };
  await world.server.database.db
    .insertInto("task_versions")
    .values({
      id,
      task_id: world.task,
      number: Math.floor(Math.random() * 2 ** 31),
      format: "native",
      digest,
      size_bytes: size,
      state: "ready",
      in_use: inUse,
      job_id: await makeJob(world),
      summary: JSON.stringify({ title: "T", environment: "hex", points: 100, cases: 1, digest, ...limits }),
      created_by: world.people.organiser.id,
    })
    .execute();
  return id;
}

/** The owner's, graded. */
export async function makeTaskSubmission(world: World): Promise<string> {
  const { db } = world.server.database;
  const id = randomUUID();
  const { digest, size } = await world.server.app.store.put(world.bundle);
  const job = await makeJob(world);
  await db
    .insertInto("task_submissions")
    .values({
      id,
      space_id: world.spaceA,
      task_id: world.task,
      owner_id: world.people.owner.id,
      number: Math.floor(Math.random() * 2 ** 31),
      digest,
      size_bytes: size,
      state: "graded",
      job_id: job,
      arrived_at: sql<Date>`now()`,
      late_seconds: 0,
      grades: 1,
      points: 50,
      out_of: 100,
    })
    .execute();
  const { id: version } = await db
    .selectFrom("task_versions")
    .select("id")
    .where("task_id", "=", world.task)
    .where("in_use", "=", true)
    .executeTakeFirstOrThrow();
  await db
    .insertInto("task_grades")
    .values({
      id: randomUUID(),
      submission_id: id,
      number: 1,
      version_id: version,
      job_id: job,
      outcome: "completed",
      points: 50,
      out_of: 100,
      document: JSON.stringify({ outcome: { kind: "completed", cases: [], detail: null }, cases: [] }),
    })
    .execute();
  return id;
}

/** A job of the owner's in space A, ended unless a worker is named to run it. */
export async function makeJob(
  { server, spaceA, people }: World,
  worker?: string,
  payload: unknown = { seconds: 0, end: "completed" },
  kind = "noop",
): Promise<string> {
  const id = randomUUID();
  const running = worker !== undefined;
  await server.database.db
    .insertInto("jobs")
    .values({
      id,
      kind,
      queue: "default",
      space_id: spaceA,
      owner_id: people.owner.id,
      fair_key: people.owner.id,
      class: "test",
      state: running ? "running" : "ended",
      payload: JSON.stringify(payload),
      wait_until: sql<Date>`now() + interval '1 day'`,
      timeout_seconds: 60,
      attempt: 1,
      fence: 1,
      worker_id: worker ?? null,
      lease_until: running ? sql<Date>`now() + interval '1 hour'` : null,
      attempt_until: running ? sql<Date>`now() + interval '1 hour'` : null,
      outcome: running ? null : JSON.stringify({ kind: "completed" }),
      result: null,
      started_at: sql<Date>`now()`,
      ended_at: running ? null : sql<Date>`now()`,
    })
    .execute();
  await server.database.db
    .insertInto("attempts")
    .values({
      job_id: id,
      number: 1,
      fence: 1,
      worker_id: worker ?? null,
      worker_name: "w",
      ended_at: null,
      outcome: null,
    })
    .execute();
  return id;
}

/** An ended match in space A between the owner's agent and another's. */
export async function makeMatch(
  world: World,
  reason: "ladder" | "requested",
  ownerId: string | null,
  replayBlob: string | null = null,
): Promise<{ match: string; job: string }> {
  const { db } = world.server.database;
  const match = randomUUID();
  const job = await makeJob(world);
  await db
    .insertInto("matches")
    .values({
      id: match,
      job_id: job,
      space_id: world.spaceA,
      ladder_id: world.ladder,
      owner_id: ownerId,
      reason,
      env: "connect-four",
      options: "{}",
      seed: "1",
      state: "ended",
      outcome: JSON.stringify({ kind: "completed" }),
      replay_blob: replayBlob,
      ended_at: sql<Date>`now()`,
    })
    .execute();
  for (const [seat, { agent, version }] of Object.values(world.agents).entries())
    await db
      .insertInto("match_seats")
      .values({
        match_id: match,
        seat,
        agent_id: agent,
        version_id: version,
        name: `agent ${seat}`,
        score: 0.5,
        rank: 1,
        mu_before: null,
        mu_after: null,
      })
      .execute();
  return { match, job };
}
