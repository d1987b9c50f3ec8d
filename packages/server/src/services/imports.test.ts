/** Submissions brought over from elsewhere, against a real server: whose they are, what they count for, and that none comes twice. */
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { fromWire } from "@lanista/api/errors";
import {
  ImportSubmissionResponse_Change as Change,
  ImportSubmissionRequest_Fault as Fault,
  TaskSubmission_State as State,
} from "@lanista/api/gen/lanista/v1/grades_pb";
import { SpaceKind } from "@lanista/api/gen/lanista/v1/spaces_pb";
import { LatePolicy } from "@lanista/api/gen/lanista/v1/tasks_pb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestPerson, type TestServer, testServer } from "../testing/server.ts";

let server: TestServer;
let root: TestPerson;
let lea: TestPerson;
let ada: TestPerson;
let taskId: string;

const space = "cs1";
const at = (text: string) => timestampFromDate(new Date(text));
beforeAll(async () => {
  server = await testServer({ flags: { "limits.quotaBytes": "20" } });
  root = await server.person("root", { administrator: true });
  lea = await server.person("lea", { organiser: true });
  ada = await server.person("ada");
  await lea.client.spaces.createSpace({ slug: space, title: "CS 1", kind: SpaceKind.COURSE });
  const settings = { points: 50, dailyLimit: 1, deadline: at("2025-03-01T00:00:00Z"), latePolicy: LatePolicy.PER_DAY };
  const made = { space, slug: "maze", title: "Maze", importKey: "old:task:3" };
  const { task } = await lea.client.tasks.createTask({ ...made, settings: { ...settings, latePercent: 10 } });
  expect(task).toMatchObject({ importKey: "old:task:3" });
  taskId = task!.id;
  await expect(lea.client.tasks.createTask({ ...made, slug: "maze-2" })).rejects.toThrow(/one of this key, already/);
  await confirm(ada);
  await roster("Ada,ada@example.org,student,T1", "Bob,bob@example.org,student,T2", "Cat,cat@example.org,student,");
});
afterAll(() => server.close());

const confirm = (person: TestPerson) => root.client.tokens.updateUser({ userId: person.id, emailConfirmed: true });
const roster = async (...lines: string[]) =>
  (await lea.client.courses.importRoster({ space, csv: `name,email,role,group\n${lines.join("\n")}\n` })).rows;
type Given = Parameters<TestPerson["client"]["grades"]["importSubmission"]>[0];
const bring = (key: string, email: string, more: Given = {}, by = lea) =>
  by.client.grades.importSubmission({
    taskId,
    key,
    email,
    fingerprint: "1",
    bundle: { case: "zip", value: Buffer.from(`PK bundle ${key}`) },
    arrivedAt: at("2025-02-28T12:00:00Z"),
    counts: true,
    ...more,
  });
const codeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => "ok",
    (error: unknown) => fromWire(error).code,
  );
const resultOf = async (email: string) => {
  const { students } = await lea.client.grades.listResults({ space, all: true });
  const one = students.find((student) => student.email === email);
  return one && { ...one.tasks[0], userId: one.userId, name: one.name, group: one.group };
};

test("a member's is his at once: at its own time, past every quota, with what it got, and no job", async () => {
  const first = await bring("old:1", "Ada@example.org", { value: 30.5, notes: "{'case': 'secret'}" });
  expect(first).toMatchObject({
    change: Change.BROUGHT,
    submission: {
      ownerId: ada.id,
      number: 1,
      state: State.GRADED,
      jobId: "",
      points: 30.5,
      outOf: 50,
      imported: { key: "old:1", fingerprint: "1", counts: true },
    },
  });
  // Late by its own time; worth more than all, and less than nothing; without a result.
  await bring("old:2", "ada@example.org", { value: 70, arrivedAt: at("2025-03-02T12:00:00Z") });
  await bring("old:3", "ada@example.org", { value: -2 });
  const none = await bring("old:4", "ada@example.org");
  expect(none.submission).toMatchObject({ state: State.FAILED, grades: 0 });
  expect((await bring("old:5", "ada@example.org", { fault: Fault.TIME_LIMIT })).submission).toMatchObject({
    points: 0,
  });
  expect(await resultOf("ada@example.org")).toMatchObject({
    points: 40,
    earned: 50,
    deductionPercent: 20,
    submissions: 5,
  });

  const id = first.submission!.id;
  const { grade } = await lea.client.grades.getGrade({ submissionId: id });
  expect(grade).toMatchObject({ imported: true, versionNumber: 0, outcome: "completed", points: 30.5 });
  expect(JSON.parse(grade!.documentJson).cases[0].imported).toEqual({
    key: "old:1",
    value: 30.5,
    verdict: null,
    notes: "{'case': 'secret'}",
  });
  const seen = await ada.client.grades.getGrade({ submissionId: id });
  expect(seen.grade!.documentJson).toContain('"value":0.61');
  expect(seen.grade!.documentJson).not.toContain("secret");
  const pieces: Uint8Array[] = [];
  for await (const { data } of ada.client.grades.downloadTaskSubmission({ submissionId: id })) pieces.push(data);
  expect(Buffer.concat(pieces).toString()).toBe("PK bundle old:1");
});

test("the same again is nothing, what has changed there changes here, and another's it never becomes", async () => {
  expect(await bring("old:1", "ada@example.org", { value: 30.5 })).toMatchObject({ change: Change.UNCHANGED });
  const changed = { fingerprint: "2", value: 31, counts: false, bundle: { case: undefined } } as const;
  const { change, submission } = await bring("old:1", "ada@example.org", changed);
  expect({ change, submission }).toMatchObject({
    change: Change.UPDATED,
    submission: { points: 31, grades: 2, imported: { counts: false, fingerprint: "2" } },
  });
  await bring("old:2", "ada@example.org", { ...changed, value: 70, arrivedAt: at("2025-03-02T12:00:00Z") });
  // Neither of the two counts any more: what is left are −2 and a time limit.
  expect(await resultOf("ada@example.org")).toMatchObject({ points: 0, submissions: 5 });
  expect(await codeOf(bring("old:1", "bob@example.org", changed))).toBe("conflict");
  expect(
    await codeOf(bring("old:1", "ada@example.org", { arrivedAt: at("2999-01-01T00:00:00Z"), fingerprint: "3" })),
  ).toBe("invalid");
  const two = await Promise.all([1, 2, 3].map(() => bring("old:6", "ada@example.org", { value: 1 })));
  expect(two.map((answer) => answer.change).sort()).toEqual([Change.UNCHANGED, Change.UNCHANGED, Change.BROUGHT]);
});

test("who has not come in yet has his held: staff see it, and it becomes his when his address is known to be", async () => {
  await bring("old:10", "bob@example.org", { value: 20, arrivedAt: at("2025-02-01T00:00:00Z") });
  await bring("old:11", "bob@example.org", { value: 40, counts: false });
  expect(await resultOf("bob@example.org")).toMatchObject({ userId: "", name: "Bob", group: "T2", points: 20 });
  const bob = await server.person("bob");
  // Anybody could have made an account with this address.
  expect(await codeOf(bob.client.courses.joinCourse({ space }))).toBe("not_found");
  const { submissions } = await lea.client.grades.listTaskSubmissions({ space, all: true });
  const held = submissions.filter(({ heldFor }) => heldFor === "bob@example.org");
  expect(held.map(({ ownerId, ownerName }) => [ownerId, ownerName])).toEqual(Array(2).fill(["", "bob@example.org"]));
  await confirm(bob);
  expect(await resultOf("bob@example.org")).toMatchObject({ userId: bob.id, points: 20, submissions: 2 });
  const own = await bob.client.grades.listTaskSubmissions({ space });
  expect(own.submissions.map(({ number, heldFor }) => [number, heldFor])).toEqual([
    [2, ""],
    [1, ""],
  ]);
  expect(await bring("old:11", "bob@example.org", { value: 40, counts: false })).toMatchObject({
    change: Change.UNCHANGED,
  });
});

test("by the code that was made out to an address, what is held for it comes along, and by no other code", async () => {
  const [invited] = await roster("Dan,dan@example.org,student,");
  await bring("old:20", "dan@example.org", { value: 7 });
  await bring("old:21", "cat@example.org", { value: 9 });
  const [dan, eve] = [await server.person("other-dan"), await server.person("eve")];
  const open = await lea.client.spaces.createInvitation({ space, role: 1, validSeconds: 60n, uses: 2 });
  await eve.client.spaces.acceptInvitation({ code: open.code });
  await dan.client.spaces.acceptInvitation({ code: open.code });
  expect((await eve.client.grades.listTaskSubmissions({ space })).submissions).toEqual([]);
  // He is in already, and the invitation is used for what it brings him.
  await dan.client.spaces.acceptInvitation({ code: invited!.code });
  expect((await dan.client.grades.listTaskSubmissions({ space })).submissions).toMatchObject([
    { points: 7, heldFor: "" },
  ]);
  expect(await codeOf(eve.client.spaces.acceptInvitation({ code: invited!.code }))).toBe("not_found");
  expect(await codeOf(bring("old:22", "nobody@example.org"))).toBe("not_found");
  expect(await codeOf(bring("old:22", "ada@example.org", {}, ada))).toBe("forbidden");
});
