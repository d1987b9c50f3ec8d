/** A server with a little of everything in it, and the values that name these things in requests. */
import { randomBytes, randomUUID } from "node:crypto";
import { Scope, SpaceRole } from "@lanista/api/gen/lanista/v1/access_pb";
import { ScheduledAction } from "@lanista/api/gen/lanista/v1/schedules_pb";
import { SpaceKind } from "@lanista/api/gen/lanista/v1/spaces_pb";
import { enqueue } from "@lanista/server/jobs/enqueue";
import { inTransaction } from "@lanista/server/jobs/transaction";
import { joinLadder } from "@lanista/server/ladder/join";
import { type TestPerson, type TestServer, testServer } from "@lanista/server/testing/server";

export interface World {
  readonly server: TestServer;
  readonly administrator: TestPerson;
  /** A member of the space, with an agent, a submission and a job of his own. */
  readonly participant: TestPerson;
  readonly workerToken: string;
  /** Accounts and tokens that the fuzz is done with: no request shall name them. */
  readonly spared: readonly string[];
  /** By the request's field. */
  readonly values: Readonly<Record<string, readonly string[]>>;
  close(): Promise<void>;
}

/** The smallest zip there is: the server opens none. */
const ZIP = Buffer.concat([Buffer.from("504b0506", "hex"), Buffer.alloc(18)]);

export async function makeWorld(): Promise<World> {
  const server = await testServer({ flags: { "limits.connections": "256" } });
  const line = new AbortController();
  const close = async (): Promise<void> => {
    line.abort();
    await server.close();
  };
  try {
    return { ...(await fill(server, line.signal)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function fill(server: TestServer, signal: AbortSignal): Promise<Omit<World, "close">> {
  const administrator = await server.person("admin", { administrator: true });
  const participant = await server.person("ann", { scope: "participant" });
  const other = await server.person("ben", { scope: "participant" });
  const { client: admin } = administrator;
  const space = some(
    (await admin.spaces.createSpace({ slug: "course", title: "Course", kind: SpaceKind.COURSE })).space,
  );
  const invite = { space: space.id, role: SpaceRole.PARTICIPANT, validSeconds: 86_400n, uses: 1000 };
  const { code, invitation } = await admin.spaces.createInvitation(invite);
  for (const { client } of [participant, other]) await client.spaces.acceptInvitation({ code });

  const rules = { env: "tic-tac-toe", placementMatches: 1, cooldownSeconds: -1 };
  const made = { space: space.id, slug: "open", title: "Open", rules, public: true };
  const ladder = some((await admin.ladders.createLadder(made)).ladder);
  const agents: string[] = [];
  const submissions: string[] = [];
  const versions: string[] = [];
  for (const [agent, { client }] of [
    ["mine", participant],
    ["another", other],
  ] as const) {
    const submit = { ladderId: ladder.id, agent, bundle: { case: "zip", value: ZIP } } as const;
    const submission = some((await client.submissions.submit(submit)).submission);
    const { agentId, versionId } = submission;
    await inTransaction(server.app, (tx) => joinLadder(server.app, tx, { ladderId: ladder.id, agentId, versionId }));
    agents.push(agentId);
    versions.push(versionId);
    submissions.push(submission.id);
  }
  const matches: string[] = [];
  for (let one = 0; one < 3; one++)
    matches.push(some((await admin.matches.requestMatch({ ladderId: ladder.id, agentIds: agents })).match).id);
  const jobs: string[] = [];
  for (let one = 0; one < 20; one++) {
    const job = {
      kind: "noop",
      spaceId: space.id,
      ownerId: participant.id,
      payload: { seconds: 0, end: "completed" },
      timeoutSeconds: 60,
    };
    jobs.push((await inTransaction(server.app, (tx) => enqueue(server.app, tx, job))).id);
  }
  const { task, handedIn, announcement } = await courseWork(server, space.id, admin, participant);
  const digest = randomBytes(32).toString("hex");
  const uploading = { space: space.id, sizeBytes: 1_000_000n, digest };
  const upload = some((await participant.client.agents.createUpload(uploading)).upload);
  const scheduling = { ladderId: ladder.id, action: ScheduledAction.UNFREEZE, cron: "0 0 1 1 *" };
  const schedule = some((await admin.schedules.createSchedule(scheduling)).schedule);
  const spare = some((await participant.client.tokens.createToken({ name: "spare", scope: Scope.PARTICIPANT })).token);
  const { secret: workerToken, token } = await admin.tokens.createToken({ name: "worker", scope: Scope.WORKER });
  const workerId = randomUUID();
  await attend(server, workerToken, workerId, signal);

  return {
    server,
    administrator,
    participant,
    workerToken,
    spared: [administrator.id, administrator.tokenId, participant.id, participant.tokenId, some(token).id],
    values: {
      space: [space.id, "course"],
      ladder: [ladder.id, "course/open"],
      ladderId: [ladder.id],
      agentId: agents,
      agentIds: agents,
      agent: ["mine"],
      versionId: versions,
      submissionId: [...submissions, handedIn],
      taskId: [task],
      task: [task, "course/lake"],
      announcementId: [announcement],
      csv: ["name,email,role\nEve,eve@example.org,student\n", "name,email\n"],
      matchId: matches,
      jobId: jobs,
      uploadId: [upload.id],
      scheduleId: [schedule.id],
      invitationId: [some(invitation).id],
      code: [code],
      tokenId: [spare.id],
      workerId: [workerId],
      userId: [other.id],
      user: [other.id, "ben@example.org"],
      queue: ["default"],
      env: ["tic-tac-toe", "hex"],
      id: ["pong", "hex"],
      cron: ["0 0 * * *", "*/5 * * * *"],
      digest: [digest],
      fence: ["1", "2"],
      offset: ["0"],
      kind: ["noop"],
      token: [""],
      optionsJson: ["", "{}", '{"size": 5}'],
      resultJson: ["{}"],
      tier: ["", "container"],
      timeZone: ["", "Europe/Berlin"],
    },
  };
}

/** A task that is open, graded by a bundle nobody has looked into, and something handed in for it. */
async function courseWork(server: TestServer, space: string, admin: TestPerson["client"], participant: TestPerson) {
  const { db } = server.database;
  const task = some((await admin.tasks.createTask({ space, slug: "lake", title: "Lake" })).task).id;
  const { digest, size } = await server.app.store.put(ZIP);
  await db
    .insertInto("bundles")
    .values({ digest, size_bytes: size })
    .onConflict((one) => one.doNothing())
    .execute();
  const job = { kind: "noop", payload: { seconds: 0, end: "completed" }, timeoutSeconds: 60 };
  const { id: jobId } = await inTransaction(server.app, (tx) => enqueue(server.app, tx, job));
  const limits = { caseSeconds: 1, memoryBytes: 1, cpus: 1, boxes: 1 };
  await db
    .insertInto("task_versions")
    .values({
      id: randomUUID(),
      task_id: task,
      number: 1,
      format: "native",
      digest,
      size_bytes: size,
      state: "ready",
      in_use: true,
      job_id: jobId,
      summary: JSON.stringify({ title: "T", environment: "hex", points: 100, cases: 1, digest, ...limits }),
      created_by: participant.id,
    })
    .execute();
  await admin.tasks.openTask({ taskId: task, opened: true });
  const bundle = { case: "zip", value: ZIP } as const;
  const handedIn = some((await participant.client.grades.handIn({ taskId: task, bundle })).submission).id;
  const announcement = some((await admin.courses.postAnnouncement({ space, title: "T" })).announcement).id;
  return { task, handedIn, announcement };
}

/** The worker's line, up until the signal; resolves once the server has said welcome. */
async function attend(server: TestServer, token: string, workerId: string, signal: AbortSignal): Promise<void> {
  const hello = { workerId, name: "fuzz", version: "0", queues: ["default"], concurrency: 64, kinds: ["noop"] };
  const lines = server.client(token).workers.attend({ hello }, { signal })[Symbol.asyncIterator]();
  await lines.next();
  const rest = async (): Promise<void> => {
    while (!(await lines.next()).done);
  };
  rest().catch(() => {});
}

function some<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the server left out what it made");
  return value;
}
