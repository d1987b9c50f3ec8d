/**
 * Deadline night: a course hands in through the API, most of it around the deadline, with two places in which it is graded, and a
 * worker that is killed in the middle. Nothing is lost, nothing is graded twice, everybody sees his place in the queue, what came late
 * is marked as the policy says, and the CSV is right.
 *
 * LANISTA_STUDENTS (8), LANISTA_SUBMISSIONS (24), LANISTA_NIGHT_SECONDS (8) say how large: 300, 900 and 600 is the real one.
 */
import { createHash, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { TaskSubmission_State as State, type TaskSubmission } from "@lanista/api/gen/lanista/v1/grades_pb";
import { LatePolicy, type Task } from "@lanista/api/gen/lanista/v1/tasks_pb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ARRIVES, CourseWorld, CRASHES, DROWNS, type Person, zipOf } from "../server/support/course-world.ts";
import { killed, SHORT_LEASE, WorkerWorld } from "../server/support/worker-world.ts";

/** Taken out of the environment: the worker's program refuses what is no setting. */
function figure(name: string, usual: number): number {
  const { [name]: text = String(usual) } = process.env;
  delete process.env[name];
  return Number(text);
}
const STUDENTS = figure("LANISTA_STUDENTS", 8);
const SUBMISSIONS = figure("LANISTA_SUBMISSIONS", 24);
const NIGHT_SECONDS = figure("LANISTA_NIGHT_SECONDS", 8);
/** For setting up, and for the rest to be graded on a host that has other things to do. */
const PATIENCE_MS = 120_000 + SUBMISSIONS * 3000;

const HOURS_PERCENT = 10;
const AGENTS = [ARRIVES, DROWNS, CRASHES];

let world: WorkerWorld;
let course: CourseWorld;
const students: Person[] = [];
const handed: {
  readonly student: Person;
  readonly submission: TaskSubmission;
  readonly sent: number;
  readonly got: number;
}[] = [];
const places: number[] = [];

beforeAll(async () => {
  world = await WorkerWorld.open({ ...SHORT_LEASE, "limits.ratePerMinute": "100000" });
  course = await CourseWorld.open(world, "night");
  for (let n = 0; n < STUDENTS; n++) students.push(await course.member(`student-${String(n).padStart(3, "0")}`));
}, PATIENCE_MS);
afterAll(() => world.close());

const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

/** The same every time. */
function* chances(): Generator<number> {
  for (let state = 20261128; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state / 2 ** 32;
  }
}

test(
  "nothing is lost, everybody sees his place, late is late, and the CSV is right",
  async () => {
    const worker = world.program("--concurrency", "2", "--tier", "container");
    const task = await course.task("lake", {});
    const deadline = new Date(Date.now() + NIGHT_SECONDS * 600);
    const settings = {
      latePolicy: LatePolicy.PER_HOUR,
      latePercent: HOURS_PERCENT,
      deadline: timestampFromDate(deadline),
    };
    const { tasks } = course.lecturer.client;
    await tasks.updateTask({ taskId: task.id, settings });
    const until = timestampFromDate(new Date(deadline.getTime() + 86_400_000));
    await tasks.setExtension({ taskId: task.id, userId: students[0]!.id, until, note: "ill" });

    const chance = chances();
    const zips = AGENTS.map((source) => zipOf({ "agent.py": source }));
    const arrives = sha256(zips[0]!);
    const night = Array.from({ length: SUBMISSIONS }, (_, n) =>
      handInAt(
        task,
        students[n % STUDENTS]!,
        zips[n % zips.length]!,
        chance.next().value * NIGHT_SECONDS * 1000,
        n % 7 === 0,
      ),
    );
    await sleep(NIGHT_SECONDS * 500);
    await killed(worker);
    world.program("--concurrency", "2", "--tier", "container");
    await Promise.all(night);
    await allGraded(task);

    const { db } = world.database;
    const rows = await db.selectFrom("task_submissions").selectAll().where("task_id", "=", task.id).execute();
    expect(new Set(rows.map(({ id }) => id))).toEqual(new Set(handed.map(({ submission }) => submission.id)));
    expect(rows).toHaveLength(SUBMISSIONS);
    expect(rows.filter(({ state, grades }) => state !== "graded" || grades !== 1)).toEqual([]);
    const grades = await db.selectFrom("task_grades").select("submission_id").execute();
    expect(grades).toHaveLength(SUBMISSIONS);

    // Everybody saw a place, of what there can be.
    expect(places.length).toBeGreaterThanOrEqual(SUBMISSIONS);
    expect(places.filter((place) => place < 1 || place > SUBMISSIONS)).toEqual([]);

    // The arrival is when it came, and not when it was graded.
    for (const { submission, sent, got } of handed) {
      const arrived = timestampDate(submission.arrivedAt!).getTime();
      expect(arrived).toBeGreaterThanOrEqual(sent - 5);
      expect(arrived).toBeLessThanOrEqual(got + 5);
      const own = submission.ownerId === students[0]!.id ? Number.POSITIVE_INFINITY : deadline.getTime();
      expect(Number(submission.lateSeconds)).toBe(arrived > own ? Math.ceil((arrived - own) / 1000) : 0);
    }
    expect(handed.some(({ submission }) => submission.lateSeconds > 0n)).toBe(true);
    expect(handed.some(({ submission }) => submission.lateSeconds === 0n)).toBe(true);

    const csv = await (await course.get("results.csv", course.lecturer)).text();
    const [titles, ...lines] = csv
      .trimEnd()
      .split("\n")
      .map((line) => line.split(","));
    const column = (name: string): number => titles!.indexOf(name);
    expect(lines).toHaveLength(STUDENTS);
    for (const line of lines) {
      const own = handed.filter(({ student }) => line[column("name")] === student.id);
      const points = own.map(({ submission, student: { id } }) => {
        const late = Number(submission.lateSeconds);
        const well = rows.find((row) => row.id === submission.id)!.digest === arrives;
        expect(late > 0 && id === students[0]!.id).toBe(false);
        return (well ? 10 : 0) * (1 - (late > 0 ? (Math.ceil(late / 3600) * HOURS_PERCENT) / 100 : 0));
      });
      expect(Number(line[column("lake")])).toBeCloseTo(Math.max(...points), 6);
      expect(line[column("total")]).toBe(line[column("lake")]);
    }
  },
  PATIENCE_MS + NIGHT_SECONDS * 1000,
);

async function handInAt(task: Task, student: Person, zip: Buffer, ms: number, twice: boolean): Promise<void> {
  await sleep(ms);
  const { grades } = student.client;
  const options = { headers: { "idempotency-key": randomUUID() } };
  const request = { taskId: task.id, bundle: { case: "zip", value: zip } } as const;
  const sent = Date.now();
  const { submission } = await grades.handIn(request, options);
  const got = Date.now();
  places.push(submission!.position);
  handed.push({ student, submission: submission!, sent, got });
  // The answer was lost on the way: asked again, it is the same.
  if (twice) expect((await grades.handIn(request, options)).submission?.id).toBe(submission!.id);
  await sleep(ms % 1000);
  const later = (await grades.getTaskSubmission({ submissionId: submission!.id })).submission!;
  if (later.state === State.WAITING && later.position > 0) places.push(later.position);
}

async function allGraded(task: Task): Promise<void> {
  const { db } = world.database;
  for (;;) {
    const { open } = await db
      .selectFrom("task_submissions")
      .select((eb) => eb.fn.countAll<number>().as("open"))
      .where("task_id", "=", task.id)
      .where("state", "in", ["waiting", "running"])
      .executeTakeFirstOrThrow();
    if (open === 0) return;
    await sleep(250);
  }
}
