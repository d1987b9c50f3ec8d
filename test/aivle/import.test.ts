/**
 * `lanista import aivle` as a process, against a stand-in for the site that takes an import's calls and no others, and a real server
 * with a worker: the same course from the site and from CSV files.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TaskSubmission_State as State } from "@lanista/api/gen/lanista/v1/grades_pb";
import { LatePolicy } from "@lanista/api/gen/lanista/v1/tasks_pb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LANISTA } from "../cli/spawn.ts";
import { CourseWorld, type Person, zipOf } from "../server/support/course-world.ts";
import { WorkerWorld } from "../server/support/worker-world.ts";
import { StandInSite } from "./support/site.ts";
import { SiteCourses, type SiteSubmission } from "./support/site-courses.ts";

const GRADER = `
import pickle
from agent import create_agent
value = sum(create_agent(factor=2).step(n) for n in range(5))
print(pickle.dumps({"suite_id": "sum", "results": [
    {"case_id": 0, "result": {"name": "sum", "detail": None, "value": value, "error": None}}]}))
`;
const AGENT =
  "class Agent:\n    def step(self, n):\n        return n * 4\ndef create_agent(**kwargs):\n    return Agent()\n";
const grader = zipOf({ "bootstrap.sh": "#!/bin/bash\npython grader.py\n", "grader.py": GRADER });
const template = zipOf({ "agent.py": "# begin here\n" });

let world: WorkerWorld;
let lea: Person;
let ada: Person;
let site: StandInSite;
let url: string;
let folder: string;
let people: string;
const courses = new SiteCourses();

beforeAll(async () => {
  world = await WorkerWorld.open();
  await world.worker({ concurrency: 2 });
  const other = await CourseWorld.open(world, "other");
  lea = other.lecturer;
  ada = await other.member("ada");
  await world.database.db.updateTable("user").set({ emailVerified: true }).where("id", "=", "ada").execute();
  site = new StandInSite();
  site.courses = courses;
  url = await site.start();
  folder = world.dir;
  people = join(folder, "known.csv");
  writeFileSync(
    people,
    "username,email,name\na01,ada@example.org,Ada\nb02,Bob@example.org,Bob Bo\nl,lecturer-other@example.org,Lea\n",
  );
  fill();
}, 60_000);
afterAll(async () => {
  await site.stop();
  await world.close();
});

/** Eleven courses, so that there are pages; of one of them the people and two tasks. */
function fill(): void {
  for (let id = 1; id <= 11; id++)
    courses.courses.push({ id, code: `CS${id}`, academic_year: "2024/2025", semester: 2 });
  const person = (id: number, username: string, role: string) => ({ user: { id, username }, role });
  courses.participants.set(11, [
    person(1, "l", "LEC"),
    person(2, "a01", "STU"),
    person(3, "b02", "STU"),
    person(4, "nobody-knows", "STU"),
  ]);
  courses.queues.push({ id: 7, name: "default" }, { id: 8, name: "gpu-old" });
  const task = {
    description: "Add up",
    grader: "courses/g.zip",
    daily_submission_limit: 3,
    max_upload_size: 2048,
    run_time_limit: 60,
    ram_limit: 256,
    vram_limit: 512,
    opened_at: "2025-02-01T08:00:00+08:00",
    deadline_at: "2025-03-01T08:00:00+08:00",
    closed_at: null,
    created_at: "2025-01-01T08:00:00.123456+08:00",
    updated_at: "2025-01-01T08:00:00.123456+08:00",
    course: 11,
  };
  courses.tasks.push(
    { ...task, id: 3, name: "Sum: part 1", template: "courses/t.zip", eval_queue: 7 },
    { ...task, id: 4, name: "Broken", template: null, eval_queue: 8, closed_at: "2025-02-02T00:00:00Z" },
    { ...task, id: 5, name: "Of another course", template: null, eval_queue: 7, course: 1 },
  );
  courses.graders.set(3, grader).set(4, zipOf({ "README.md": "no grader" }));
  courses.templates.set(3, template);
  for (let n = 1; n <= 12; n++)
    hand({ id: 100 + n, user: n % 3 === 0 ? 3 : 2, point: `${n}.500`, marked: n === 8 || n === 12 });
  hand({
    id: 113,
    user: 2,
    point: null,
    jobs: [
      { status: "E", error: "TLE" },
      { status: "D", error: null },
    ],
  });
  hand({ id: 114, user: 3, point: null, jobs: [{ status: "Q", error: null }] });
  hand({ id: 115, user: 4, point: "3.000" });
  hand({ id: 116, user: 2, task: 4, point: "120.250", marked: true });
}

interface Handing {
  readonly id: number;
  readonly user: number;
  readonly task?: number;
  readonly point: string | null;
  readonly marked?: boolean;
  readonly jobs?: { status: string; error: string | null }[];
}

function hand({
  id,
  user,
  task = 3,
  point,
  marked = false,
  jobs = [{ status: "D", error: null }],
}: Handing): SiteSubmission {
  const made: SiteSubmission = {
    id,
    task,
    user,
    bundle: zipOf({ "agent.py": `# ${id}\n${AGENT}` }),
    created_at: `2025-02-${id - 90}T12:00:00.5+08:00`,
    point,
    notes: point === null ? null : `{'suite_id': 'sum', 'results': [{'value': ${point}}]}`,
    marked_for_grading: marked,
    jobs,
  };
  courses.submissions.push(made);
  return made;
}

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

let running: ChildProcess | undefined;
const lanista = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  commandOf(["import", "aivle", ...args], env);
function commandOf(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const own = { LANISTA_SERVER: world.url, LANISTA_TOKEN: lea.token, AIVLE_TOKEN: site.token, XDG_CONFIG_HOME: folder };
  return new Promise((resolve) => {
    const child = spawn(LANISTA, args, { env: { ...process.env, ...own, ...env } });
    running = child;
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (text) => (stdout += text));
    child.stderr.on("data", (text) => (stderr += text));
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}
const fromSite = (space: string, ...more: string[]) =>
  lanista([space, "--site", url, "--from", "11", "--people", people, "--patience", "20", ...more]);

/** All that the course has, without ids of ours. */
async function courseOf(space: string) {
  const { tasks } = await lea.client.tasks.listTasks({ space });
  const { submissions } = await lea.client.grades.listTaskSubmissions({ space, all: true, page: { size: 200 } });
  const slug = new Map(tasks.map((task) => [task.id, task.slug]));
  const { students } = await lea.client.grades.listResults({ space, all: true });
  return {
    tasks: tasks.map(({ slug, title, opened, versionNumber, points, hasTemplate }) => ({
      slug,
      title,
      opened,
      versionNumber,
      points,
      hasTemplate,
    })),
    submissions: submissions
      .map((one) => ({
        task: slug.get(one.taskId),
        key: one.imported!.key.replace(/^.*:submission:/, ""),
        counts: one.imported!.counts,
        whose: one.heldFor || one.ownerId,
        digest: one.digest,
        at: Number(one.arrivedAt!.seconds),
        state: State[one.state],
        points: one.points,
        grades: one.grades,
      }))
      .sort((a, b) => a.key.localeCompare(b.key)),
    results: Object.fromEntries(
      students.map(({ email, tasks }) => [
        email,
        tasks.map(({ points, submissions }) => [points ?? null, submissions]),
      ]),
    ),
  };
}

test("a course comes over from a site that ails, killed twice on the way, and nothing is lost or there twice", async () => {
  const listed = await lanista(["--site", url]);
  expect(listed.stdout.split("\n").filter((line) => /CS\d+ 2024/.test(line))).toHaveLength(11);

  const dry = await fromSite("cs11", "--dry-run");
  expect(dry.stdout).toContain("course cs11: would be made");
  expect(dry.stdout).toContain("task sum-part-1 (Sum: part 1): would be made; submissions: 14 would be brought");
  expect(dry).toMatchObject({ code: 1, stderr: "" });
  expect(courses.downloads).toEqual([]);
  await expect(lea.client.spaces.getSpace({ space: "cs11" })).rejects.toThrow();

  site.ailing = 0.3;
  let bundles = 0;
  const killAt = new Map<number, "before" | "after">([
    [4, "after"],
    [9, "before"],
  ]);
  site.onCall = (call, when) => {
    if (call === "bundle" && when === "before") bundles++;
    if (call === "bundle" && killAt.get(bundles) === when && killAt.delete(bundles)) running!.kill("SIGKILL");
  };
  const codes = join(folder, "codes.csv");
  for (const _ of [1, 2]) expect((await fromSite("cs11", "--json", "--codes", codes)).signal).toBe("SIGKILL");
  const last = await fromSite("cs11", "--json", "--open", "--codes", codes);
  site.onCall = () => {};
  site.ailing = 0;
  expect(site.refused).toEqual([]);
  expect(readFileSync(codes, "utf8")).toMatch(/^bob@example.org,invite_\S+\n$/);
  expect(last.code).toBe(1);
  const report = JSON.parse(last.stdout);
  expect(report.left).toEqual([
    { what: "person nobody-knows", why: "no address is known: name it in people.csv" },
    { what: "1 submission of person 4 for task Sum: part 1", why: "that person did not come over" },
    { what: "grader of task Broken", why: expect.stringContaining("there is no bootstrap.sh") },
  ]);
  expect(report.notes).toEqual([
    "task Sum: part 1: 1 submission has no result at the source",
    ...(report.tasks[1].made
      ? [
          "task Broken: it closed before its deadline there, and took things until that; here it has no closing",
          'task Broken: there is no queue "gpu-old" for this course here: its gradings wait in the default one',
        ]
      : []),
  ]);

  const got = await courseOf("cs11");
  expect(got.tasks).toEqual([
    { slug: "broken", title: "Broken", opened: false, versionNumber: 0, points: 121, hasTemplate: false },
    { slug: "sum-part-1", title: "Sum: part 1", opened: true, versionNumber: 1, points: 100, hasTemplate: true },
  ]);
  expect(got.submissions.map(({ key }) => Number(key))).toEqual([...Array(14).keys()].map((n) => 101 + n).concat(116));
  expect(got.submissions.map(({ points }) => points)).toEqual([
    ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map((n) => n + 0.5),
    0,
    undefined,
    120.25,
  ]);
  expect(got.submissions.filter(({ whose }) => whose === "ada")).toHaveLength(10);
  expect(got.submissions.filter(({ whose }) => whose === "bob@example.org")).toHaveLength(5);
  expect(got.submissions[13]).toMatchObject({ state: "FAILED", grades: 0 });
  expect(new Date(got.submissions[0]!.at * 1000).toISOString()).toBe("2025-02-11T04:00:00.000Z");
  // 8.5 was marked there, though 11.5 is more.
  expect(got.results).toEqual({
    "ada@example.org": [
      [120.25, 1],
      [8.5, 9],
    ],
    "bob@example.org": [
      [null, 0],
      [12.5, 5],
    ],
  });
  const { task } = await lea.client.tasks.getTask({ task: "cs11/sum-part-1" });
  expect(task!.settings).toMatchObject({
    latePolicy: LatePolicy.REFUSE,
    dailyLimit: 3,
    maxBytes: 2_097_152n,
    caseSeconds: 60,
    memoryBytes: 268_435_456n,
    gpus: 0,
    vramBytes: 0n,
    queue: "default",
  });

  // The same again is nothing, and asks for no file; what has changed there changes.
  const before = courses.downloads.length;
  const again = JSON.parse((await fromSite("cs11", "--json", "--no-wait")).stdout);
  expect(again.tasks).toMatchObject([
    { made: false, brought: 0, changed: 0, unchanged: 14, left: 1 },
    { made: false, brought: 0, changed: 0, unchanged: 1, left: 0 },
  ]);
  expect(again.people).toMatchObject({ joined: 0, invited: 0, changed: 0 });
  const [marked, better] = [107, 110].map((id) => courses.submissions.find((one) => one.id === id)!);
  courses.submissions.find(({ id }) => id === 108)!.marked_for_grading = false;
  better!.marked_for_grading = true;
  better!.point = "60.000";
  hand({ id: 117, user: 2, point: "5.000" });
  const later = JSON.parse((await fromSite("cs11", "--json")).stdout);
  expect(later.tasks[0]).toMatchObject({ brought: 1, changed: 2, unchanged: 12 });
  expect(courses.downloads.length).toBe(before + 1);
  expect((await courseOf("cs11")).results["ada@example.org"]![1]).toEqual([60, 10]);
  expect(marked!.marked_for_grading).toBe(false);
}, 90_000);

test("the same course comes from CSV files", async () => {
  const csv = join(folder, "exported");
  mkdirSync(join(csv, "files"), { recursive: true });
  const file = (name: string, bytes: Buffer | string): string => {
    writeFileSync(join(csv, name), bytes);
    return name;
  };
  file(
    "people.csv",
    "id,username,name,email,role\n1,l,Lea,lecturer-other@example.org,LEC\n2,a01,Ada,ada@example.org,STU\n3,b02,Bob Bo,bob@example.org,STU\n",
  );
  file(
    "tasks.csv",
    `id,name,grader,template,opened_at,deadline_at,eval_queue\n3,"Sum: part 1",${file("files/g.zip", grader)},${file("files/t.zip", template)},2025-02-01 00:00:00,2025-03-01 00:00:00,default\n`,
  );
  const own = courses.submissions.filter(({ task, user }) => task === 3 && user !== 4);
  const lines = own.map(({ id, user, bundle, created_at, point, notes, marked_for_grading, jobs }) =>
    [
      id,
      3,
      user,
      file(`files/${id}.zip`, bundle),
      created_at,
      point ?? "",
      jobs[0]!.error ?? "",
      `"${notes ?? ""}"`,
      marked_for_grading,
    ].join(),
  );
  file(
    "submissions.csv",
    `id,task,user,file,created_at,point,error,notes,marked_for_grading\r\n${lines.join("\r\n")}\r\n`,
  );
  const first = await lanista(["cs12", "--csv", csv, "--open", "--json"]);
  expect(first).toMatchObject({ code: 0, stderr: "" });
  expect(JSON.parse(first.stdout).tasks).toMatchObject([{ slug: "sum-part-1", made: true, brought: 15, left: 0 }]);
  const again = await lanista(["cs12", "--csv", csv]);
  expect(again.stdout).toContain("submissions: 0 brought, 0 changed, 15 unchanged, 0 left");

  const [bySite, byCsv] = [await courseOf("cs11"), await courseOf("cs12")];
  const sum = ({ submissions }: typeof bySite) =>
    submissions.filter(({ task }) => task === "sum-part-1").map(({ grades: _, ...one }) => one);
  expect(sum(byCsv)).toEqual(sum(bySite));
  expect(byCsv.tasks).toEqual(bySite.tasks.slice(1));
  expect(byCsv.results["ada@example.org"]).toEqual([[60, 10]]);
}, 60_000);

test("a task of the queue gpu is given a GPU, and its import does not wait for a worker that has one", async () => {
  const csv = join(folder, "on-gpu");
  mkdirSync(csv);
  writeFileSync(join(csv, "g.zip"), grader);
  writeFileSync(join(csv, "people.csv"), "id,username,name,email,role\n2,a01,Ada,ada@example.org,STU\n");
  writeFileSync(join(csv, "submissions.csv"), "id,task,user,file,created_at,point,error,notes,marked_for_grading\n");
  writeFileSync(
    join(csv, "tasks.csv"),
    "id,name,grader,opened_at,deadline_at,eval_queue,vram_limit\n4,Deep,g.zip,2025-02-01 00:00:00,2025-03-01 00:00:00,gpu,512\n",
  );
  const { code, stdout, stderr } = await lanista(["cs15", "--csv", csv, "--open", "--json"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(JSON.parse(stdout).notes).toEqual([
    "task Deep: it was graded in the queue gpu there; here each of its gradings is given one GPU of a worker",
    expect.stringMatching(/^grader of task Deep: no worker can check it \(.*1 GPUs, 512 MiB.*\); import again/),
  ]);
  const { task } = await lea.client.tasks.getTask({ task: "cs15/deep" });
  expect(task).toMatchObject({ opened: false, settings: { gpus: 1, vramBytes: 536_870_912n, queue: "gpu" } });
}, 60_000);

test("what cannot be had is listed, with the rest brought over; without a token, or with a wrong file, nothing is", async () => {
  courses.lost.add(105).add(106);
  const some = await lanista([
    "cs13",
    "--site",
    url,
    "--from",
    "11",
    "--people",
    people,
    "--patience",
    "0",
    "--no-wait",
  ]);
  expect(some.code).toBe(1);
  expect(some.stdout).toMatch(/sum-part-1 .*: made; submissions: 13 brought, 0 changed, 0 unchanged, 3 left/);
  expect(some.stdout).toMatch(
    / {2}submission 105 of task Sum: part 1: the site, \/submissions\/105\/download\/: answers 500/,
  );
  courses.lost.clear();
  expect((await fromSite("cs13", "--no-wait")).stdout).toMatch(/2 brought, 0 changed, 13 unchanged, 1 left/);

  const wrong = await lanista(["cs14", "--site", url, "--from", "11"], { AIVLE_TOKEN: "not-the-token" });
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toContain("answers 401");
  expect(wrong.stderr).not.toContain("not-the-token");
  expect((await lanista(["cs14", "--site", url, "--from", "11"], { AIVLE_TOKEN: "" })).stderr).toContain("AIVLE_TOKEN");
  writeFileSync(join(folder, "bad.csv"), "username,email,age\na01,ada@example.org,3\n");
  const bad = await lanista(["cs14", "--site", url, "--from", "11", "--people", join(folder, "bad.csv")]);
  expect(bad).toMatchObject({ code: 2, stderr: expect.stringContaining('bad.csv: line 1: there is no column "age"') });
  await expect(lea.client.spaces.getSpace({ space: "cs14" })).rejects.toThrow();
}, 60_000);

test("what came over stays as it was graded, unless it is asked for; what is handed in now is graded by the same grader", async () => {
  const { task } = await lea.client.tasks.getTask({ task: "cs11/sum-part-1" });
  const taskId = task!.id;
  await lea.client.tasks.updateTask({
    taskId,
    settings: { ...task!.settings!, deadline: undefined, latePolicy: LatePolicy.NONE },
  });
  expect(await lea.client.grades.regrade({ what: { case: "taskId", value: taskId } })).toMatchObject({ queued: 0 });
  const bundle = { case: "zip", value: zipOf({ "agent.py": AGENT }) } as const;
  const { submission } = await ada.client.grades.handIn({ taskId, bundle });
  const { submissions } = await lea.client.grades.listTaskSubmissions({ space: "cs11", taskId, all: true });
  const one = submissions.find(({ imported }) => imported?.key.endsWith(":110"))!;
  await lea.client.grades.regrade({ what: { case: "submissionId", value: one.id } });
  for (const id of [submission!.id, one.id]) {
    const { jobId } = (await lea.client.grades.getTaskSubmission({ submissionId: id })).submission!;
    await world.ended(jobId, 60_000);
    const done = (await lea.client.grades.getTaskSubmission({ submissionId: id })).submission!;
    expect(done).toMatchObject({ state: State.GRADED, points: 40, outOf: 100 });
  }
  const { grades } = await lea.client.grades.listGrades({ submissionId: one.id });
  expect(grades.map(({ imported, points, versionNumber }) => [imported, points, versionNumber])).toEqual([
    [true, 10.5, 0],
    [true, 60, 0],
    [false, 40, 1],
  ]);
  // What the source says of it counts no more.
  courses.submissions.find(({ id }) => id === 110)!.point = "99.000";
  await fromSite("cs11");
  expect((await lea.client.grades.getTaskSubmission({ submissionId: one.id })).submission).toMatchObject({
    points: 40,
  });
  const all = await commandOf(["regrade", "cs11/sum-part-1", "--imported", "--json"]);
  expect(JSON.parse(all.stdout).queued).toBeGreaterThan(10);
}, 60_000);
