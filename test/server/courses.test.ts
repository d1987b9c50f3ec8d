/** A course against a real server and worker: tasks checked, agents graded, and who gets to see what of it. */
import { randomUUID } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { fromWire } from "@lanista/api/errors";
import { TaskSubmission_State as State } from "@lanista/api/gen/lanista/v1/grades_pb";
import {
  AgentSplit,
  TaskVersion_State as Checked,
  LatePolicy,
  TaskCounts,
  TaskFormat,
} from "@lanista/api/gen/lanista/v1/tasks_pb";
import { defaultBundleLimits } from "@lanista/arena/agents/types";
import { unzip } from "@lanista/arena/agents/unzip";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  ARRIVES,
  CourseWorld,
  CRASHES,
  DROWNS,
  HIDDEN_CASE,
  manifest,
  type Person,
  taskZip,
  walker,
  zipOf,
} from "./support/course-world.ts";
import { WorkerWorld } from "./support/worker-world.ts";

let world: WorkerWorld;
let course: CourseWorld;
let ada: Person;
let bob: Person;
let tia: Person;

beforeAll(async () => {
  world = await WorkerWorld.open();
  await world.worker({ concurrency: 2 });
  course = await CourseWorld.open(world);
  [ada, bob] = [await course.member("ada"), await course.member("bob")];
  tia = await course.member("tia", "assistant");
}, 60_000);
afterAll(() => world.close());

const codeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => "ok",
    (error: unknown) => fromWire(error).code,
  );

test("a bundle that cannot tell right from wrong, or is none, grades nobody", async () => {
  const { tasks } = course.lecturer.client;
  const { task } = await tasks.createTask({ space: course.space, slug: "bad", title: "Bad" });
  const taskId = task!.id;
  const weak = await course.version(taskId, taskZip(manifest(), ARRIVES, ARRIVES));
  expect(weak).toMatchObject({ state: Checked.REFUSED, title: "The lake", cases: 1, points: 10 });
  expect(weak.findings.map(({ who, caseId }) => [who, caseId])).toEqual([["cheat", "seen"]]);
  const none = await course.version(taskId, zipOf({ "README.md": "no task" }));
  expect(none).toMatchObject({ state: Checked.REFUSED, cases: 0 });
  expect(await codeOf(tasks.useTaskVersion({ versionId: weak.id }))).toBe("conflict");
  expect(await codeOf(tasks.openTask({ taskId, opened: true }))).toBe("conflict");
  // A draft is not there for students.
  expect(await codeOf(ada.client.tasks.getTask({ task: taskId }))).toBe("not_found");
  expect(await codeOf(ada.client.tasks.getTask({ task: "cs1/bad" }))).toBe("not_found");
  expect((await ada.client.tasks.listTasks({ space: "cs1" })).tasks).toEqual([]);
  expect(await codeOf(course.handIn(ada, taskId, ARRIVES))).toBe("not_found");
}, 60_000);

test("what is handed in is graded, and hidden cases stay hidden from whoever is graded", async () => {
  const task = await course.task("lake", { points: 40 }, manifest(10, HIDDEN_CASE));
  const headers = { "idempotency-key": randomUUID() };
  const first = await course.handIn(ada, task.id, ARRIVES, headers);
  expect(first).toMatchObject({ number: 1, state: State.WAITING, lateSeconds: 0n });
  expect(first.position).toBeGreaterThan(0);
  expect(await course.handIn(ada, task.id, ARRIVES, headers)).toMatchObject({ id: first.id });
  const others = [
    await course.handIn(bob, task.id, CRASHES),
    (await bob.client.grades.handIn({ taskId: task.id, bundle: { case: "zip", value: Buffer.from("no zip") } }))
      .submission!,
  ];
  expect(await course.graded(ada, first.id)).toMatchObject({ state: State.GRADED, points: 10, outOf: 10, grades: 1 });
  for (const { id } of others) expect(await course.graded(bob, id)).toMatchObject({ state: State.GRADED, points: 0 });

  const [crashed] = others;
  const seen = JSON.parse((await bob.client.grades.getGrade({ submissionId: crashed!.id })).grade!.documentJson);
  expect(seen).toMatchObject({
    points: 0,
    outOf: 10,
    cases: [
      { id: "seen", verdict: "RE", fault: "crash" },
      { id: "hidden-2", hidden: true, verdict: "RE", value: 0 },
    ],
  });
  expect(Object.keys(seen.cases[1]).sort()).toEqual([
    "fault",
    "hidden",
    "id",
    "outcome",
    "title",
    "value",
    "verdict",
    "weight",
  ]);
  const whole = (await tia.client.grades.getGrade({ submissionId: crashed!.id })).grade!.documentJson;
  expect(JSON.parse(whole).cases[1]).toMatchObject({ id: "secret-trap", seed: 7177651293618888 });
  // In no call of his is there a word of it.
  const said: unknown[] = [];
  for (const { id, jobId } of others) {
    const { grades, jobs } = bob.client;
    said.push(await grades.getTaskSubmission({ submissionId: id }), await grades.getGrade({ submissionId: id }));
    said.push(await grades.listGrades({ submissionId: id }), await jobs.getJob({ jobId }));
    for await (const piece of jobs.readLog({ jobId })) said.push(piece);
  }
  said.push(
    await bob.client.grades.listResults({ space: "cs1" }),
    await bob.client.tasks.getTask({ task: "cs1/lake" }),
  );
  const text = JSON.stringify(said, (_, value) => (typeof value === "bigint" ? String(value) : value));
  expect(text).toContain("crash");
  expect(text).not.toMatch(/secret|trap/);

  // Nobody's is another student's to see; nobody's grade is anybody's to change.
  for (const call of ["getTaskSubmission", "getGrade", "listGrades", "cancelTaskSubmission"] as const)
    expect(await codeOf(bob.client.grades[call]({ submissionId: first.id }))).toBe("not_found");
  expect(await codeOf(bob.client.jobs.getJob({ jobId: first.jobId }))).toBe("not_found");
  const stream = bob.client.grades.downloadTaskSubmission({ submissionId: first.id })[Symbol.asyncIterator]();
  expect(await codeOf(stream.next())).toBe("not_found");
  await expect(world.database.db.updateTable("task_grades").set({ points: 10 }).execute()).rejects.toThrow(
    /append-only/,
  );
  await expect(world.database.db.deleteFrom("task_grades").execute()).rejects.toThrow(/append-only/);
}, 90_000);

test("late is by the student's own deadline, whenever that was set", async () => {
  const hours = (n: number) => timestampFromDate(new Date(Date.now() + n * 3600_000));
  const settings = { latePolicy: LatePolicy.PER_HOUR, latePercent: 10, lateCapPercent: 50, deadline: hours(-2.5) };
  const task = await course.task("late", settings);
  const { id } = await course.handIn(ada, task.id, ARRIVES);
  const late = await course.graded(ada, id);
  expect(late).toMatchObject({ points: 10, deductionPercent: 30 });
  expect(Number(late.lateSeconds)).toBeGreaterThan(2.4 * 3600);
  const result = async () => {
    const { students } = await ada.client.grades.listResults({ space: "cs1" });
    return students[0]!.tasks.find(({ taskSlug }) => taskSlug === "late")!;
  };
  expect(await result()).toMatchObject({ points: 7, earned: 10, deductionPercent: 30, submissions: 1, open: 0 });
  const own = { taskId: task.id, userId: ada.id };
  await tia.client.tasks.setExtension({ ...own, until: hours(1), note: "ill" });
  expect(await result()).toMatchObject({ points: 10, deductionPercent: 0, lateSeconds: 0n });
  await tia.client.tasks.setExtension(own);
  expect(await result()).toMatchObject({ points: 7 });
  await course.lecturer.client.tasks.updateTask({ taskId: task.id, settings: { ...settings, deadline: hours(-100) } });
  expect(await result()).toMatchObject({ points: 5, deductionPercent: 50 });
  const closed = { ...settings, latePolicy: LatePolicy.REFUSE, latePercent: 0, lateCapPercent: 0 };
  await course.lecturer.client.tasks.updateTask({ taskId: task.id, settings: closed });
  await expect(course.handIn(ada, task.id, ARRIVES)).rejects.toThrow(/nothing is taken after it/);
  await tia.client.tasks.setExtension({ ...own, until: hours(1) });
  expect((await course.handIn(ada, task.id, ARRIVES)).number).toBe(2);
  await course.lecturer.client.tasks.updateTask({ taskId: task.id, settings: { closesAt: hours(-1) } });
  await tia.client.tasks.setExtension(own);
  await expect(course.handIn(ada, task.id, ARRIVES)).rejects.toThrow(/closed at/);
}, 60_000);

test("quotas count neither what was cancelled nor what we broke", async () => {
  const task = await course.task("quota", { dailyLimit: 2, maxBytes: 2000n });
  // Nobody takes it: this test's own queue has no worker.
  await world.database.db.insertInto("queues").values({ name: "nobody", keep_free: "{}" }).execute();
  await course.lecturer.client.tasks.updateTask({
    taskId: task.id,
    settings: { dailyLimit: 2, maxBytes: 2000n, queue: "nobody" },
  });
  const first = await course.handIn(ada, task.id, ARRIVES);
  await course.handIn(ada, task.id, DROWNS);
  expect(await codeOf(course.handIn(ada, task.id, CRASHES))).toBe("quota_exceeded");
  expect((await ada.client.grades.cancelTaskSubmission({ submissionId: first.id })).submission).toMatchObject({
    state: State.CANCELLED,
  });
  const third = await course.handIn(ada, task.id, CRASHES);
  expect(await codeOf(course.handIn(ada, task.id, CRASHES))).toBe("quota_exceeded");
  await world.database.db.updateTable("task_submissions").set({ state: "failed" }).where("id", "=", third.id).execute();
  await course.handIn(ada, task.id, CRASHES);
  // At once as well: one of them finds the other.
  const at = await Promise.all([1, 2, 3, 4].map((n) => codeOf(course.handIn(bob, task.id, `# ${n}\n${ARRIVES}`))));
  expect(at.toSorted()).toEqual(["ok", "ok", "quota_exceeded", "quota_exceeded"]);
  const long = walker(
    [1],
    `x = "${randomUUID().repeat(200)}${Array.from({ length: 4000 }, () => Math.random()).join("")}"`,
  );
  expect(await codeOf(course.handIn(tia, task.id, long))).toBe("too_large");
}, 60_000);

test("jobs of its gradings are there for all of a course's staff to look at; other jobs, and stopping them, are its lecturers'", async () => {
  const task = await course.task("jobs");
  const { id, jobId } = await course.handIn(ada, task.id, ARRIVES);
  await course.graded(ada, id);
  const { jobs } = tia.client;
  expect((await jobs.getJob({ jobId })).job).toMatchObject({ id: jobId, kind: "grade", ownerId: "ada" });
  for await (const { job } of jobs.watchJob({ jobId })) expect(job?.id).toBe(jobId);
  for await (const _ of jobs.readLog({ jobId }));
  const listed = async (person: Person) =>
    (await person.client.jobs.listJobs({ space: "cs1", all: true, page: { size: 100 } })).jobs;
  const other = await world.noop(0, { spaceId: course.space, ownerId: "bob" });
  await world.ended(other.id);
  const seen = await listed(tia);
  expect(seen.map((job) => job.id)).toContain(jobId);
  expect(new Set(seen.map(({ kind }) => kind))).toEqual(new Set(["grade", "task_check"]));
  expect((await listed(course.lecturer)).map((job) => job.id)).toEqual(expect.arrayContaining([jobId, other.id]));
  expect(await codeOf(jobs.getJob({ jobId: other.id }))).toBe("not_found");
  expect(await codeOf(jobs.cancelJob({ jobId }))).toBe("not_found");
  expect(await codeOf(jobs.retryJob({ jobId }))).toBe("forbidden");
  expect(await codeOf(listed(bob))).toBe("forbidden");
  for (const person of [bob, await course.member("guest", "guest")])
    expect(await codeOf(person.client.jobs.getJob({ jobId }))).toMatch(/not_found|forbidden/);
}, 60_000);

/** Adds up what the agent answers to 0 … 4, and says something that only staff may know. */
const GRADER = `
import pickle
from agent import create_agent
agent = create_agent(factor=2)
value = sum(agent.step({"n": n}) for n in range(5))
print(pickle.dumps({"suite_id": "secret suite", "results": [
    {"case_id": 0, "result": {"name": "secret trap", "detail": [1], "value": value, "error": None}}]}))
`;
const DOUBLES = `
class Agent:
    def __init__(self, factor):
        self.factor = factor
    def step(self, state):
        return state["n"] * self.factor
def create_agent(**kwargs):
    return Agent(**kwargs)
`;
const FORGED = `
import pickle
print(pickle.dumps({"suite_id": "s", "results": [{"case_id": 0, "result":
    {"name": "n", "detail": None, "value": 40, "error": None}}]}), flush=True)
${DOUBLES.replace("* self.factor", "* 0")}`;

test("graders of aiVLE grade as they are, and no agent prints its own result", async () => {
  const { tasks } = course.lecturer.client;
  const { task } = await tasks.createTask({ space: course.space, slug: "sum", title: "Sum", settings: { points: 40 } });
  const taskId = task!.id;
  const none = await course.version(taskId, zipOf({ "grader.py": GRADER }), TaskFormat.AIVLE);
  expect(none.state).toBe(Checked.REFUSED);
  expect(none.findings[0]?.message).toContain("there is no bootstrap.sh");
  const bundle = zipOf({ "bootstrap.sh": "#!/bin/bash\npython grader.py\n", "grader.py": GRADER });
  const version = await course.version(taskId, bundle, TaskFormat.AIVLE);
  expect(version).toMatchObject({ state: Checked.READY, format: TaskFormat.AIVLE });
  await tasks.useTaskVersion({ versionId: version.id });
  await tasks.openTask({ taskId, opened: true });
  const raises = "def create_agent(**kwargs): raise ValueError('no idea')\n";
  const handed = [
    await course.handIn(ada, taskId, DOUBLES),
    await course.handIn(bob, taskId, FORGED),
    await course.handIn(bob, taskId, raises),
    (await bob.client.grades.handIn({ taskId, bundle: { case: "zip", value: Buffer.from("no zip") } })).submission!,
  ];
  const graded: unknown[] = [];
  for (const [at, { id }] of handed.entries()) {
    const { state, points, outOf } = await course.graded(at === 0 ? ada : bob, id);
    graded.push([state, points, outOf]);
  }
  expect(graded).toEqual([20, 0, 0, 0].map((points) => [State.GRADED, points, 40]));
  const seen = (await ada.client.grades.getGrade({ submissionId: handed[0]!.id })).grade!.documentJson;
  expect(JSON.parse(seen)).toMatchObject({ points: 20, cases: [{ verdict: "OK", value: 0.5 }] });
  expect(seen).not.toContain("secret");
  const whole = (await tia.client.grades.getGrade({ submissionId: handed[0]!.id })).grade!.documentJson;
  expect(JSON.parse(whole).cases[0].said.grade).toMatchObject({ split: true, value: 20, suiteId: "secret suite" });
}, 90_000);

test("a grader that does not let its agent be kept apart grades nobody where the task insists on that", async () => {
  const { tasks } = course.lecturer.client;
  const settings = { split: AgentSplit.REQUIRE };
  const { task } = await tasks.createTask({ space: course.space, slug: "apart", title: "Apart", settings });
  const taskId = task!.id;
  expect(task?.settings).toMatchObject(settings);
  const hands = GRADER.replace("\nvalue =", "\nclass Room: pass\nagent.room = Room()\nvalue =");
  const bundleOf = (grader: string) =>
    zipOf({ "bootstrap.sh": "#!/bin/bash\npython grader.py\n", "grader.py": grader });
  const whole = await course.version(taskId, bundleOf(hands), TaskFormat.AIVLE);
  // Without any agent nobody can tell yet.
  expect(whole.state).toBe(Checked.READY);
  await tasks.useTaskVersion({ versionId: whole.id });
  await tasks.openTask({ taskId, opened: true });
  const { id, jobId } = await course.handIn(ada, taskId, DOUBLES);
  expect(await course.graded(ada, id)).toMatchObject({ state: State.FAILED, grades: 0 });
  const said: string[] = [];
  for await (const { text } of tia.client.jobs.readLog({ jobId })) said.push(text);
  expect(said.join("")).toMatch(/box of its own.*\(split\): the grader hands the agent a __main__\.Room/);
  // A bundle that is none is still its student's.
  const none = await bob.client.grades.handIn({ taskId, bundle: { case: "zip", value: Buffer.from("no zip") } });
  expect(await course.graded(bob, none.submission!.id)).toMatchObject({ state: State.GRADED, points: 0 });
  // What students start from tells at once.
  await tasks.setTemplate({ taskId, uploadId: await course.upload(zipOf({ "agent.py": DOUBLES })) });
  const tried = await course.version(taskId, bundleOf(`${hands}#`), TaskFormat.AIVLE);
  expect(tried).toMatchObject({ state: Checked.REFUSED, findings: [{ who: "task" }] });
  expect(tried.findings[0]?.message).toContain("the grader hands the agent a __main__.Room");
  expect(await course.version(taskId, bundleOf(GRADER), TaskFormat.AIVLE)).toMatchObject({ state: Checked.READY });
}, 120_000);

test("a grader that was wrong is mended, and everybody graded again; the grades before stay", async () => {
  const task = await course.task("again", { counts: TaskCounts.LAST });
  const { id } = await course.handIn(ada, task.id, ARRIVES);
  const other = await course.handIn(bob, task.id, DROWNS);
  await course.graded(ada, id);
  await course.graded(bob, other.id);
  const { grades, tasks } = course.lecturer.client;
  expect(await grades.regrade({ what: { case: "taskId", value: task.id } })).toMatchObject({ queued: 0 });
  // Now it asks for the opposite, of a lake that is just as small.
  const upside = manifest(20).replaceAll("zero: 0, full: 1", "zero: 1, full: 0");
  const version = await course.version(task.id, taskZip(upside, DROWNS, ARRIVES));
  await tasks.useTaskVersion({ versionId: version.id });
  expect(await grades.regrade({ what: { case: "taskId", value: task.id } })).toMatchObject({ queued: 2, left: 0 });
  // It is not the student's to stop what may take points from him.
  const { submission } = await ada.client.grades.getTaskSubmission({ submissionId: id });
  expect(await codeOf(ada.client.grades.cancelTaskSubmission({ submissionId: id }))).toBe("conflict");
  expect(await codeOf(ada.client.jobs.cancelJob({ jobId: submission!.jobId }))).toBe("not_found");
  expect(await course.graded(ada, id)).toMatchObject({ points: 0, outOf: 20, grades: 2 });
  expect(await course.graded(bob, other.id)).toMatchObject({ points: 20, outOf: 20, grades: 2 });
  expect((await ada.client.grades.listGrades({ submissionId: id })).grades).toMatchObject([
    { number: 1, versionNumber: 1, points: 10, outOf: 10 },
    { number: 2, versionNumber: 2, points: 0, outOf: 20 },
  ]);

  const mark = { taskId: task.id, userId: ada.id, note: "Shown in class" };
  await tia.client.grades.setMark({ ...mark, points: 12.5 });
  const result = async () => (await ada.client.grades.listResults({ space: "cs1" })).students[0]!.tasks[0];
  expect(await result()).toMatchObject({ taskSlug: "again", points: 12.5, marked: true, note: "Shown in class" });
  await tia.client.grades.setMark(mark);
  expect(await result()).toMatchObject({ points: 0, marked: false });
  expect((await tia.client.grades.listMarks({ taskId: task.id })).marks).toHaveLength(2);

  await one(grades.regrade({ what: { case: "submissionId", value: id } }), { queued: 1 });
  expect(await course.graded(ada, id)).toMatchObject({ grades: 3, state: State.GRADED });
}, 90_000);

const one = async (call: Promise<object>, like: object) => expect(await call).toMatchObject(like);

async function namesIn(zip: Buffer): Promise<string[]> {
  const dir = mkdtempSync(join(world.dir, "zip-"));
  writeFileSync(`${dir}.zip`, zip);
  return (await unzip(`${dir}.zip`, dir, defaultBundleLimits)).toSorted();
}

test("staff take results and submissions away; nobody else does", async () => {
  expect((await course.get("results.csv")).status).toBe(401);
  expect((await course.get("results.csv", ada)).status).toBe(403);
  expect((await course.get("lake/submissions.zip", bob)).status).toBe(403);
  expect((await course.get("lake/other.zip", tia)).status).toBe(404);
  expect((await course.get("..%2f/submissions.zip", tia)).status).toBe(404);
  const answer = await course.get("results.csv", tia);
  expect(answer.headers.get("content-disposition")).toBe('attachment; filename="cs1-results.csv"');
  const [titles, ...lines] = (await answer.text()).trimEnd().split("\n");
  expect(titles).toMatch(/^name,email,group,again,again earned/);
  expect(lines.map((line) => line.split(",")[0])).toEqual(["ada", "bob"]);
  const at = titles!.split(",").indexOf("lake");
  expect(lines.map((line) => line.split(",")[at])).toEqual(["40", "0"]);

  const bytes = Buffer.from(await (await course.get("lake/submissions.zip?all=1", tia)).arrayBuffer());
  expect(await namesIn(bytes)).toEqual(["ada@example.org-1.zip", "bob@example.org-1.zip", "bob@example.org-2.zip"]);
  const last = Buffer.from(await (await course.get("lake/submissions.zip", tia)).arrayBuffer());
  expect(await namesIn(last)).toHaveLength(2);
});

test("a worker tells which submissions are alike", async () => {
  const task = await course.task("alike");
  const program = (name: string) =>
    `${Array.from({ length: 12 }, (_, i) => `def ${name}${i}(x, y=${i}):\n    ${i % 2 ? "return [x for x in y if x]" : `while x: x -= y * ${i}`}\n    assert x, y or {${"x, ".repeat(i)}}`).join("\n")}\n${ARRIVES}`;
  await course.handIn(ada, task.id, program("mine"));
  await course.handIn(bob, task.id, program("own_work"));
  const cat = await course.member("cat");
  await cat.client.grades.handIn({ taskId: task.id, bundle: { case: "zip", value: Buffer.from("no zip") } });
  const { comparison } = await tia.client.grades.compareSubmissions({ taskId: task.id });
  await world.ended(comparison!.jobId, 60_000);
  const done = (await tia.client.grades.getComparison({ comparisonId: comparison!.id })).comparison!;
  expect(done).toMatchObject({ state: "done", compared: 2 });
  expect(done.pairs.map(({ nameA, nameB }) => [nameA, nameB].toSorted())).toEqual([["ada", "bob"]]);
  expect(done.pairs[0]!.likeness).toBeGreaterThan(0.8);
  expect(done.leftOut).toEqual([expect.stringMatching(/^cat: /)]);
}, 60_000);
