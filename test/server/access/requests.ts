/**
 * A good request for every method there is, about real objects of the owner's in space A. A method without an entry fails the
 * test, so that a new one cannot be forgotten.
 */
import { createHash, randomUUID } from "node:crypto";
import { Scope, SpaceRole } from "@lanista/api/gen/lanista/v1/access_pb";
import { OutcomeKind } from "@lanista/api/gen/lanista/v1/common_pb";
import { ScheduledAction } from "@lanista/api/gen/lanista/v1/schedules_pb";
import { makeToken } from "@lanista/server/accounts/tokens";
import { hashSecret, newSecret } from "@lanista/server/auth/secrets";
import { sql } from "kysely";
import { makeJob, makeMatch, makeTaskSubmission, makeTaskVersion, type World } from "./world.ts";

/** Made anew for each call: what one caller changed is not what the next one meets. */
export type MakeRequest = (world: World, caller: string) => unknown;

const unique = (): string => randomUUID().slice(0, 13);

const aJob: MakeRequest = async (world) => ({ jobId: await makeJob(world) });
const aMatch: MakeRequest = (world) => ({ matchId: world.match });
const theTask: MakeRequest = (world) => ({ taskId: world.task });
const aTaskSubmission: MakeRequest = async (world) => ({ submissionId: await makeTaskSubmission(world) });
const theLadder: MakeRequest = (world) => ({ ladderId: world.ladder });
const inA: MakeRequest = (world) => ({ space: world.spaceA });

async function upload(world: World, userId = world.people.owner.id): Promise<string> {
  const id = randomUUID();
  const data = Buffer.from(id);
  await world.server.database.db
    .insertInto("uploads")
    .values({
      id,
      space_id: world.spaceA,
      user_id: userId,
      size_bytes: data.byteLength,
      digest: createHash("sha256").update(data).digest("hex"),
      expires_at: sql<Date>`now() + interval '1 hour'`,
    })
    .execute();
  return id;
}

async function invitation(world: World): Promise<{ id: string; code: string }> {
  const id = randomUUID();
  const { secret: code } = newSecret("invite_");
  await world.server.database.db
    .insertInto("invitations")
    .values({
      id,
      space_id: world.spaceB,
      role: "participant",
      code_hash: hashSecret(code),
      uses_left: 1,
      expires_at: sql<Date>`now() + interval '1 hour'`,
      revoked_at: null,
      created_by: world.people.organiser.id,
    })
    .execute();
  return { id, code };
}

async function environment(world: World): Promise<string> {
  const id = randomUUID();
  const digest = createHash("sha256").update(world.bundle).digest("hex");
  await world.server.database.db
    .insertInto("environments")
    .values({
      id,
      space_id: world.spaceA,
      digest,
      size_bytes: world.bundle.byteLength,
      job_id: await makeJob(world),
      created_by: world.people.organiser.id,
    })
    .execute();
  return id;
}

async function submission(world: World): Promise<string> {
  const id = randomUUID();
  const { agent, version } = world.agents.owner;
  await world.server.database.db
    .insertInto("submissions")
    .values({
      id,
      space_id: world.spaceA,
      ladder_id: world.ladder,
      agent_id: agent,
      version_id: version,
      owner_id: world.people.owner.id,
      job_id: await makeJob(world),
      state: "accepted",
    })
    .execute();
  return id;
}

async function member(world: World): Promise<string> {
  const { id } = await world.server.person(`member-${unique()}`);
  await world.server.database.db
    .insertInto("members")
    .values({ space_id: world.spaceA, user_id: id, role: "participant" })
    .execute();
  return id;
}

async function schedule(world: World): Promise<string> {
  const id = randomUUID();
  await world.server.database.db
    .insertInto("schedules")
    .values({
      id,
      space_id: world.spaceA,
      ladder_id: world.ladder,
      action: "freeze",
      cron: "0 0 1 1 *",
      last_run_at: null,
      created_by: world.people.organiser.id,
    })
    .execute();
  return id;
}

/** The caller's own, if he is one who may use one here. */
async function finishedUpload(world: World, caller: string): Promise<string> {
  const { organiser, administrator } = world.people;
  const ids: Record<string, string> = {
    "the organiser": organiser.id,
    "the administrator": administrator.id,
    "the lecturer": "test-lecturer",
  };
  const id = await upload(world, ids[caller]);
  const data = Buffer.from(id);
  await world.server.app.store.put(data);
  await world.server.database.db.updateTable("uploads").set({ complete: true }).where("id", "=", id).execute();
  return id;
}

async function comparison(world: World): Promise<string> {
  const id = randomUUID();
  await world.server.database.db
    .insertInto("task_comparisons")
    .values({ id, task_id: world.task, job_id: await makeJob(world), created_by: world.people.organiser.id })
    .execute();
  return id;
}

async function announcement(world: World): Promise<string> {
  const id = randomUUID();
  await world.server.database.db
    .insertInto("announcements")
    .values({ id, space_id: world.spaceA, title: "T", body: "B", author_id: world.people.organiser.id })
    .execute();
  return id;
}

export const REQUESTS: Readonly<Record<string, MakeRequest>> = {
  "AgentService/CreateAgent": (world) => ({ space: world.spaceA, name: unique() }),
  "AgentService/GetAgent": (world) => ({ agentId: world.agents.owner.agent }),
  "AgentService/ListAgents": inA,
  "AgentService/UpdateAgent": (world) => ({ agentId: world.agents.owner.agent, name: unique() }),
  "AgentService/ListVersions": (world) => ({ agentId: world.agents.owner.agent }),
  "AgentService/DownloadVersion": (world) => ({ versionId: world.agents.owner.version }),
  "AgentService/CreateUpload": (world) => ({
    space: world.spaceA,
    sizeBytes: 10n,
    digest: createHash("sha256").update(unique()).digest("hex"),
  }),
  "AgentService/GetUpload": async (world) => ({ uploadId: await upload(world) }),
  "AgentService/UploadPart": async (world) => {
    const uploadId = await upload(world);
    return { uploadId, offset: 0n, data: Buffer.from(uploadId) };
  },
  "CourseService/ImportRoster": (world) => ({
    space: world.spaceA,
    csv: `name,email,role\nN,${unique()}@example.org,student\n`,
  }),
  "CourseService/JoinCourse": inA,
  "CourseService/PostAnnouncement": (world) => ({ space: world.spaceA, title: "T", body: "B" }),
  "CourseService/ListAnnouncements": inA,
  "CourseService/UpdateAnnouncement": async (world) => ({ announcementId: await announcement(world), title: "T" }),
  "CourseService/DeleteAnnouncement": async (world) => ({ announcementId: await announcement(world) }),
  "EnvironmentService/ListEnvironments": () => ({}),
  "EnvironmentService/GetEnvironment": () => ({ id: "pong" }),
  "GradeService/HandIn": (world) => ({ taskId: world.task, bundle: { case: "zip", value: Buffer.from("PK") } }),
  "GradeService/ImportSubmission": (world) => ({
    taskId: world.task,
    key: unique(),
    fingerprint: "1",
    email: "owner@example.org",
    bundle: { case: "zip", value: Buffer.from("PK") },
    arrivedAt: { seconds: 1n },
  }),
  "GradeService/GetTaskSubmission": aTaskSubmission,
  "GradeService/ListTaskSubmissions": inA,
  "GradeService/CancelTaskSubmission": aTaskSubmission,
  "GradeService/DownloadTaskSubmission": aTaskSubmission,
  "GradeService/GetGrade": aTaskSubmission,
  "GradeService/ListGrades": aTaskSubmission,
  "GradeService/Regrade": (world) => ({ what: { case: "taskId", value: world.task } }),
  "GradeService/SetMark": (world) => ({ taskId: world.task, userId: world.people.owner.id, points: 1, note: "N" }),
  "GradeService/ListMarks": theTask,
  "GradeService/ListResults": inA,
  "GradeService/CompareSubmissions": theTask,
  "GradeService/GetComparison": async (world) => ({ comparisonId: await comparison(world) }),
  "JobService/GetJob": aJob,
  "JobService/ListJobs": inA,
  "JobService/CancelJob": aJob,
  "JobService/RetryJob": aJob,
  "JobService/WatchJob": aJob,
  "JobService/ReadLog": aJob,
  "JobService/ListQueues": () => ({}),
  "JobService/UpdateQueue": () => ({ name: "gpu" }),
  "LadderService/CreateLadder": (world) => ({
    space: world.spaceA,
    slug: unique(),
    title: "T",
    rules: { env: "pong" },
  }),
  "LadderService/GetLadder": (world) => ({ ladder: world.ladder }),
  "LadderService/ListLadders": inA,
  "LadderService/UpdateLadder": (world) => ({ ladderId: world.ladder, title: "L" }),
  "LadderService/FreezeLadder": (world) => ({ ladderId: world.ladder, frozen: true }),
  "LadderService/StartFinals": (world) => ({ ladderId: world.ladder, rounds: 100 }),
  "LadderService/GetLeaderboard": (world) => ({ ladder: world.ladder }),
  "LadderService/GetHeadToHead": theLadder,
  "LadderService/VerifyLadder": theLadder,
  "LadderService/Withdraw": (world) => ({ ladderId: world.ladder, agentId: world.agents.owner.agent }),
  // Each asks for his own agent, if he has one.
  "MatchService/RequestMatch": (world, caller) => {
    const { owner, other } = world.agents;
    return {
      ladderId: world.ladder,
      agentIds: caller === "another participant" ? [other.agent, owner.agent] : [owner.agent, other.agent],
    };
  },
  "MatchService/GetMatch": aMatch,
  "MatchService/ListMatches": inA,
  "MatchService/CancelMatch": async (world) => ({
    matchId: (await makeMatch(world, "requested", world.people.owner.id)).match,
  }),
  "MatchService/WatchMatch": aMatch,
  "ReplayService/GetReplay": aMatch,
  "ReplayService/ExportReplay": aMatch,
  "ScheduleService/CreateSchedule": (world) => ({
    ladderId: world.ladder,
    action: ScheduledAction.FREEZE,
    cron: "0 0 1 1 *",
  }),
  "ScheduleService/ListSchedules": inA,
  "ScheduleService/DeleteSchedule": async (world) => ({ scheduleId: await schedule(world) }),
  "SpaceService/CreateSpace": () => ({ slug: unique(), title: "T" }),
  "SpaceService/GetSpace": inA,
  "SpaceService/ListSpaces": () => ({}),
  "SpaceService/UpdateSpace": (world) => ({ space: world.spaceA, title: "A" }),
  "SpaceService/ListMembers": inA,
  "SpaceService/SetMember": async (world) => ({
    space: world.spaceA,
    userId: await member(world),
    role: SpaceRole.PARTICIPANT,
  }),
  "SpaceService/RemoveMember": async (world) => ({ space: world.spaceA, userId: await member(world) }),
  "SpaceService/CreateInvitation": (world) => ({
    space: world.spaceA,
    role: SpaceRole.PARTICIPANT,
    validSeconds: 60n,
    uses: 1,
  }),
  "SpaceService/ListInvitations": inA,
  "SpaceService/RevokeInvitation": async (world) => {
    const { id } = await invitation(world);
    await world.server.database.db
      .updateTable("invitations")
      .set({ space_id: world.spaceA })
      .where("id", "=", id)
      .execute();
    return { invitationId: id };
  },
  "SpaceService/AcceptInvitation": async (world) => ({ code: (await invitation(world)).code }),
  "SpaceService/ListAudit": inA,
  "SubmissionService/Submit": (world) => ({
    ladderId: world.ladder,
    agent: unique(),
    bundle: { case: "zip", value: Buffer.from("PK") },
  }),
  "SubmissionService/GetSubmission": async (world) => ({ submissionId: await submission(world) }),
  "SubmissionService/ListSubmissions": inA,
  "SubmissionService/CancelSubmission": async (world) => ({ submissionId: await submission(world) }),
  "EnvironmentService/AddEnvironment": async (world, caller) => ({
    space: world.spaceA,
    uploadId: await finishedUpload(world, caller),
  }),
  "EnvironmentService/ListSpaceEnvironments": inA,
  "EnvironmentService/GetSpaceEnvironment": async (world) => ({ environmentId: await environment(world) }),
  "EnvironmentService/DownloadEnvironment": async (world) => ({ environmentId: await environment(world) }),
  "TaskService/CreateTask": (world) => ({ space: world.spaceA, slug: unique(), title: "T" }),
  "TaskService/GetTask": (world) => ({ task: world.task }),
  "TaskService/ListTasks": inA,
  "TaskService/UpdateTask": (world) => ({ taskId: world.task, title: "T" }),
  "TaskService/AddTaskVersion": async (world, caller) => ({
    taskId: world.task,
    uploadId: await finishedUpload(world, caller),
  }),
  "TaskService/ListTaskVersions": theTask,
  "TaskService/UseTaskVersion": async (world) => ({ versionId: await makeTaskVersion(world) }),
  "TaskService/DownloadTaskVersion": async (world) => ({ versionId: await makeTaskVersion(world) }),
  "TaskService/OpenTask": (world) => ({ taskId: world.task, opened: true }),
  "TaskService/SetTemplate": async (world, caller) => ({
    taskId: world.task,
    uploadId: await finishedUpload(world, caller),
  }),
  "TaskService/DownloadTemplate": theTask,
  "TaskService/SetExtension": (world) => ({
    taskId: world.task,
    userId: world.people.owner.id,
    until: { seconds: 4_000_000_000n },
  }),
  "TaskService/ListExtensions": theTask,
  "TokenService/WhoAmI": () => ({}),
  "TokenService/CreateToken": () => ({ name: "t", scope: Scope.PARTICIPANT }),
  "TokenService/ListTokens": () => ({}),
  "TokenService/RevokeToken": async ({ server, people }) => {
    const { id } = people.owner;
    const { row } = await makeToken(server.database.db, {
      name: "t",
      scope: "participant",
      userId: id,
      createdBy: id,
      spaceId: null,
      queues: [],
      seconds: 60,
    });
    return { tokenId: row.id };
  },
  "TokenService/ListUsers": () => ({}),
  "TokenService/UpdateUser": (world) => ({ userId: world.people.stranger.id, locked: false }),
  "TokenService/CreateResetToken": (world) => ({ user: world.people.stranger.id }),
  "TokenService/InitAdministrator": () => ({
    secret: "init_no",
    name: "N",
    email: "n@example.org",
    password: "0123456789",
  }),
  "TokenService/ListServerAudit": () => ({}),
  "WorkerService/Attend": (world) => ({
    hello: { workerId: world.workerId, name: "w", version: "1", queues: ["default"], concurrency: 1, kinds: ["match"] },
  }),
  "WorkerService/Lease": (world) => ({ workerId: world.workerId, slots: 1 }),
  "WorkerService/Heartbeat": (world) => ({ workerId: world.workerId }),
  "WorkerService/Report": (world) => ({
    workerId: world.workerId,
    reports: [{ jobId: randomUUID(), fence: 1n, outcome: { kind: OutcomeKind.COMPLETED }, resultJson: "{}" }],
  }),
  "WorkerService/FetchBundle": async (world) => {
    const digest = createHash("sha256").update(world.bundle).digest("hex");
    const payload = {
      env: "connect-four",
      options: {},
      bundle: digest,
      tier: "container",
      limits: {},
      startSeconds: 1,
      actSeconds: 1,
      policy: null,
    };
    return {
      workerId: world.workerId,
      jobId: await makeJob(world, world.workerId, payload, "validate"),
      fence: 1n,
      digest,
    };
  },
  "WorkerService/ListWorkers": () => ({}),
  "WorkerService/DrainWorker": (world) => ({ workerId: world.workerId, drain: false }),
};
