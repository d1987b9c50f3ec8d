/** Tasks that ask for GPUs, on a server with real workers and sandboxes: who gets which device, and what of their memory. */

import { fromWire } from "@lanista/api/errors";
import { TaskSubmission_State as State } from "@lanista/api/gen/lanista/v1/grades_pb";
import { TaskFormat } from "@lanista/api/gen/lanista/v1/tasks_pb";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { ARRIVES, CourseWorld, type Person, walker, zipOf } from "./support/course-world.ts";
import { canPretend, GPUS, GpuHost } from "./support/gpu-host.ts";
import { WorkerWorld } from "./support/worker-world.ts";

const GiB = 2n ** 30n;
const SHOWS = `import os, sys
print(sorted(name for name in os.listdir("/dev") if name.startswith("nvidia")), file=sys.stderr)`;
const shows = (seconds = 0): string => walker([1, 1, 2, 1, 2, 2], `${SHOWS}\nimport time\ntime.sleep(${seconds})`);
const HOLDS = walker([1, 1, 2, 1, 2, 2], "import time").replace(
  "        self.at = min",
  "        time.sleep(30)\n        self.at = min",
);
/** aiVLE's: the value is how many of them the agent sees. */
const GRADER = `import os, pickle
import agent
seen = agent.create_agent().seen()
mine = len([name for name in os.listdir("/dev") if name.startswith("nvidia")])
print(pickle.dumps({"suite_id": "s", "results": [{"case_id": 0, "result":
    {"name": "n", "detail": mine, "value": seen, "error": None}}]}))
`;
const LEGACY = zipOf({ "bootstrap.sh": "#!/bin/bash\npython grader.py\n", "grader.py": GRADER });
const legacyAgent = (seconds: number): string => `
import os, time
class A:
    def seen(self):
        time.sleep(${seconds})
        return len([name for name in os.listdir("/dev") if name.startswith("nvidia")])
def create_agent(**kwargs):
    return A()
`;

describe.skipIf(!canPretend)("tasks that ask for GPUs", () => {
  let gpus: GpuHost;
  let world: WorkerWorld;
  let course: CourseWorld;
  let ada: Person;
  let bob: Person;
  let cleo: Person;
  beforeAll(async () => {
    gpus = new GpuHost();
    world = await WorkerWorld.open();
    course = await CourseWorld.open(world);
    ada = await course.member("ada");
    bob = await course.member("bob");
    cleo = await course.member("cleo");
  }, 60_000);
  afterEach(() => world.stopAll());
  afterAll(async () => {
    await world.close();
    gpus.close();
  });

  const documentOf = async (submissionId: string) =>
    JSON.parse((await course.lecturer.client.grades.getGrade({ submissionId })).grade!.documentJson);
  const refusal = (call: Promise<unknown>): Promise<string> =>
    call.then(
      () => "taken",
      (error: unknown) => `${fromWire(error).code}: ${(error as Error).message}`,
    );

  test("get one that nobody else has meanwhile, and whoever finds none waits", async () => {
    await world.worker({ gpus: GPUS, concurrency: 4 });
    const task = await course.task("one-each", { gpus: 1 });
    const first = await course.handIn(ada, task.id, shows(6));
    const second = await course.handIn(bob, task.id, shows(6));
    await world.running(first.jobId);
    await world.running(second.jobId);
    const third = await course.handIn(cleo, task.id, shows());
    const { wait } = (await course.lecturer.client.jobs.getJob({ jobId: third.jobId })).job!;
    expect(wait).toMatchObject({ detail: expect.stringMatching(/of the 1 GPUs/) });
    const seen: string[] = [];
    for (const [who, { id }] of [[ada, first] as const, [bob, second] as const, [cleo, third] as const]) {
      expect(await course.graded(who, id)).toMatchObject({ state: State.GRADED, points: 10 });
      const [one] = (await documentOf(id)).cases;
      seen.push(String(one.logText).trim());
    }
    expect(seen.slice(0, 2).sort()).toEqual(["['nvidia0', 'nvidiactl']", "['nvidia1', 'nvidiactl']"]);
    // Whichever was free first.
    expect(seen.slice(0, 2)).toContain(seen[2]);
    // Of two that are free the emptier one.
    const fourth = await course.handIn(bob, task.id, shows());
    await course.graded(bob, fourth.id);
    expect((await documentOf(fourth.id)).cases[0].logText.trim()).toBe("['nvidia1', 'nvidiactl']");
    const both = await course.task("both", { gpus: 2 });
    const { id } = await course.handIn(ada, both.id, shows());
    await course.graded(ada, id);
    expect((await documentOf(id)).cases[0].logText.trim()).toBe("['nvidia0', 'nvidia1', 'nvidiactl']");
    // Nobody who did not ask for one sees any.
    const plain = await course.task("plain");
    const other = await course.handIn(ada, plain.id, shows());
    await course.graded(ada, other.id);
    expect((await documentOf(other.id)).cases[0].logText.trim()).toBe("[]");
  }, 120_000);

  test("end with VLE where an agent takes more of their memory than the task lets it", async () => {
    await world.worker({ gpus: [GPUS[0]] });
    const task = await course.task("bounded", { gpus: 1, vramBytes: 2n * GiB });
    const fits = await course.handIn(ada, task.id, ARRIVES);
    await gpus.holding("/guest/python", 2 * 2 ** 30, course.graded(ada, fits.id));
    expect(await course.graded(ada, fits.id)).toMatchObject({ points: 10 });
    const { id } = await course.handIn(ada, task.id, HOLDS);
    await gpus.holding("/guest/python", 3 * 2 ** 30, course.graded(ada, id));
    expect(await course.graded(ada, id)).toMatchObject({ state: State.GRADED, points: 0 });
    const seen = JSON.parse((await ada.client.grades.getGrade({ submissionId: id })).grade!.documentJson);
    expect(seen.cases).toMatchObject([{ verdict: "VLE", fault: "vram", value: 0 }]);
  }, 120_000);

  test("may be aiVLE's", async () => {
    await world.worker({ gpus: [GPUS[1]] });
    const { tasks } = course.lecturer.client;
    const settings = { gpus: 1, vramBytes: GiB };
    const { task } = await tasks.createTask({ space: course.space, slug: "aivle", title: "aiVLE", settings });
    const version = await course.version(task!.id, LEGACY, TaskFormat.AIVLE);
    await tasks.useTaskVersion({ versionId: version.id });
    await tasks.openTask({ taskId: task!.id, opened: true });
    const fits = await course.handIn(ada, task!.id, legacyAgent(0));
    expect(await course.graded(ada, fits.id)).toMatchObject({ state: State.GRADED });
    const whole = (await documentOf(fits.id)).cases[0].said.grade;
    expect(whole).toMatchObject({ value: 2, cases: [{ detail: 2 }], sandbox: { gpus: { devices: [GPUS[1]] } } });
    const { id } = await course.handIn(ada, task!.id, legacyAgent(30));
    await gpus.holding("legacy/box.py", 2 * 2 ** 30, course.graded(ada, id));
    expect((await documentOf(id)).cases).toMatchObject([
      { verdict: "VLE", fault: "vram", said: { site: { error: "VLE" } } },
    ]);
  }, 120_000);

  test("wait for a worker that has what they need, and say so", async () => {
    await world.worker({ gpus: [GPUS[0]] });
    const waits = async (slug: string, settings: { gpus: number; vramBytes?: bigint }, why: RegExp) => {
      const { tasks, jobs } = course.lecturer.client;
      const { task } = await tasks.createTask({ space: course.space, slug, title: slug, settings });
      const uploadId = await course.upload(LEGACY);
      const { version } = await tasks.addTaskVersion({ taskId: task!.id, format: TaskFormat.AIVLE, uploadId });
      const { jobId } = version!;
      // The workers of before count for as long as they might only be silent.
      await expect.poll(async () => (await jobs.getJob({ jobId })).job!.wait?.detail).toMatch(why);
      await jobs.cancelJob({ jobId });
    };
    await waits("too-many", { gpus: 2 }, /2 GPUs/);
    await waits("too-large", { gpus: 1, vramBytes: 30n * GiB }, /30720 MiB on each/);
    await world.stopAll();
    // Where their memory cannot be asked for, nobody can be held to a bound of it.
    process.env.LANISTA_NVML = "/nonexistent/libnvidia-ml.so";
    await world.worker({ gpus: [GPUS[0]], name: "unmeasured" });
    const { db } = world.database;
    const offered = () => db.selectFrom("workers").select("total").where("name", "=", "unmeasured").executeTakeFirst();
    await expect.poll(offered).toMatchObject({ total: { gpus: 1, vramBytes: 0 } });
  }, 60_000);

  test("are refused where they contradict themselves, and so are a worker's", async () => {
    const { tasks } = course.lecturer.client;
    const make = (settings: NonNullable<Parameters<typeof tasks.createTask>[0]["settings"]>) =>
      refusal(tasks.createTask({ space: course.space, slug: "wrong", title: "Wrong", settings }));
    expect(await make({ gpus: 1, tier: "gvisor" })).toMatch(/invalid: .*container/);
    expect(await make({ vramBytes: GiB })).toMatch(/invalid: .*gpus/);
    const open = (more: Parameters<WorkerWorld["worker"]>[0]) => refusal(world.worker(more));
    expect(await open({ gpus: ["nvidia.com/gpu=7"] })).toMatch(/has no device nvidia.com\/gpu=7/);
    expect(await open({ gpus: [GPUS[0], "nvidia.com/gpu=all"] })).toMatch(/the same GPU/);
    expect(await open({ gpus: [GPUS[0]], tiers: ["none"] })).toMatch(/tier container/);
  });
});
