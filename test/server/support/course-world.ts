/** A course with a task on a real server: its people, the cheapest task there is, and what is handed in for it. */
import { createHash } from "node:crypto";
import { connect, type LanistaClient } from "@lanista/api/client";
import { SpaceKind } from "@lanista/api/gen/lanista/v1/spaces_pb";
import { TaskVersion_State as Checked, type Task, TaskFormat } from "@lanista/api/gen/lanista/v1/tasks_pb";
import { makeToken } from "@lanista/server/accounts/tokens";
import type { Role } from "@lanista/server/auth/access";
import { writeZip } from "../../bundles/zip-writer.ts";
import type { WorkerWorld } from "./worker-world.ts";

/** Each entry is a step on the frozen lake; the last is taken again and again. The gift is at the end of 1 1 2 1 2 2. */
export const walker = (steps: readonly number[], extra = ""): string => `
${extra}
class Agent:
    steps = ${JSON.stringify(steps)}
    def __init__(self):
        self.at = -1
    def act(self, observation):
        self.at = min(self.at + 1, len(self.steps) - 1)
        return self.steps[self.at]
`;
export const ARRIVES = walker([1, 1, 2, 1, 2, 2]);
export const DROWNS = walker([2, 1]);
export const CRASHES = "class Agent:\n    def act(self, observation):\n        raise ValueError('no idea')\n";

const CASE = "seed: 7, scoring: { by: reward, zero: 0, full: 1 }";
export const manifest = (points = 10, more = ""): string => `
task: 1
title: The lake
environment: frozen-lake
options: { is_slippery: false }
points: ${points}
scoring: { by: reward, zero: 0, full: 1 }
limits: { move_seconds: 20, start_seconds: 60, case_seconds: 120, memory_mb: 128 }
cases:
  - { id: seen, ${CASE} }
${more}
reference: reference.py
cheat: cheat.py
`;
export const HIDDEN_CASE = `  - { id: secret-trap, title: The secret trap, hidden: true, weight: 3, ${CASE.replace("7", "7177651293618888")} }`;

export const zipOf = (files: Readonly<Record<string, string>>): Buffer =>
  writeZip(Object.entries(files).map(([name, data]) => ({ name, data })));

export const taskZip = (source: string, reference = ARRIVES, cheat = DROWNS): Buffer =>
  zipOf({ "task.yaml": source, "reference.py": reference, "cheat.py": cheat });

export interface Person {
  readonly id: string;
  readonly token: string;
  readonly client: LanistaClient;
}

export class CourseWorld {
  readonly world: WorkerWorld;
  readonly space: string;
  readonly slug: string;
  readonly lecturer: Person;

  private constructor(world: WorkerWorld, space: string, slug: string, lecturer: Person) {
    this.world = world;
    this.space = space;
    this.slug = slug;
    this.lecturer = lecturer;
  }

  static async open(world: WorkerWorld, slug = "cs1"): Promise<CourseWorld> {
    const lecturer = await personOf(world, `lecturer-${slug}`, true);
    const { space } = await lecturer.client.spaces.createSpace({ slug, title: "CS 1", kind: SpaceKind.COURSE });
    return new CourseWorld(world, space!.id, slug, lecturer);
  }

  async member(name: string, role: Role = "participant"): Promise<Person> {
    const person = await personOf(this.world, name, role !== "participant");
    const member = { space_id: this.space, user_id: person.id, role };
    await this.world.database.db.insertInto("members").values(member).execute();
    return person;
  }

  async upload(bytes: Buffer, by: Person = this.lecturer): Promise<string> {
    const digest = createHash("sha256").update(bytes).digest("hex");
    const { agents } = by.client;
    const { upload } = await agents.createUpload({ space: this.space, digest, sizeBytes: BigInt(bytes.byteLength) });
    if (!upload!.complete) await agents.uploadPart({ uploadId: upload!.id, offset: 0n, data: bytes });
    return upload!.id;
  }

  /** Checked by whatever worker there is. */
  async version(taskId: string, bundle: Buffer, format = TaskFormat.NATIVE) {
    const { tasks } = this.lecturer.client;
    const { version } = await tasks.addTaskVersion({ taskId, format, uploadId: await this.upload(bundle) });
    await this.world.ended(version!.jobId, 120_000);
    const { versions } = await tasks.listTaskVersions({ taskId });
    return versions.find(({ id }) => id === version!.id)!;
  }

  /** With a version in use, opened. */
  async task(
    slug: string,
    settings: Parameters<LanistaClient["tasks"]["createTask"]>[0]["settings"] = {},
    source = manifest(),
  ): Promise<Task> {
    const { tasks } = this.lecturer.client;
    const { task } = await tasks.createTask({ space: this.space, slug, title: slug, settings });
    const version = await this.version(task!.id, taskZip(source));
    if (version.state !== Checked.READY) throw new Error(`the task was refused: ${JSON.stringify(version.findings)}`);
    await tasks.useTaskVersion({ versionId: version.id });
    return (await tasks.openTask({ taskId: task!.id, opened: true })).task!;
  }

  async handIn(person: Person, taskId: string, source: string, headers: Record<string, string> = {}) {
    const bundle = { case: "zip", value: zipOf({ "agent.py": source }) } as const;
    return (await person.client.grades.handIn({ taskId, bundle }, { headers })).submission!;
  }

  /** Until its job is over. */
  async graded(person: Person, submissionId: string, ms = 60_000) {
    const at = async () => (await person.client.grades.getTaskSubmission({ submissionId })).submission!;
    await this.world.ended((await at()).jobId, ms);
    return await at();
  }

  get(path: string, person?: Person): Promise<Response> {
    const headers = person === undefined ? {} : { authorization: `Bearer ${person.token}` };
    return fetch(`${this.world.url}/courses/${this.slug}/${path}`, { headers });
  }
}

async function personOf(world: WorkerWorld, id: string, staff: boolean): Promise<Person> {
  const { db } = world.database;
  await db
    .insertInto("user")
    .values({ id, name: id, email: `${id}@example.org`, organiser: staff })
    .execute();
  const whose = { userId: id, createdBy: id, spaceId: null, queues: [], seconds: 3600 };
  const { secret: token } = await makeToken(db, { name: "test", scope: staff ? "organiser" : "participant", ...whose });
  return { id, token, client: connect({ url: world.url, token }) };
}
