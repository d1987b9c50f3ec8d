/** Courses against a real server: roles, roster, allow-list, announcements. */
import { SpaceRole } from "@lanista/api/gen/lanista/v1/access_pb";
import { RosterRow_Action as Action } from "@lanista/api/gen/lanista/v1/courses_pb";
import { SpaceKind } from "@lanista/api/gen/lanista/v1/spaces_pb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestPerson, type TestServer, testServer } from "../testing/server.ts";

let server: TestServer;
let root: TestPerson;
let lea: TestPerson;
let ada: TestPerson;
let bob: TestPerson;
let lou: TestPerson;

const space = "cs1";
beforeAll(async () => {
  server = await testServer();
  root = await server.person("root", { administrator: true });
  lea = await server.person("lea", { organiser: true });
  [ada, bob, lou] = (await Promise.all(["ada", "bob", "lou"].map((name) => server.person(name)))) as [
    TestPerson,
    TestPerson,
    TestPerson,
  ];
  const made = { slug: space, title: "CS 1", kind: SpaceKind.COURSE, year: 2026, semester: "autumn" };
  const answer = await lea.client.spaces.createSpace(made);
  expect(answer.space).toMatchObject({ ...made, role: SpaceRole.ADMINISTRATOR });
});
afterAll(() => server.close());

const confirm = (person: TestPerson) => root.client.tokens.updateUser({ userId: person.id, emailConfirmed: true });
const members = async () => {
  const { members } = await lea.client.spaces.listMembers({ space });
  return Object.fromEntries(members.map(({ name, role, group }) => [name, `${SpaceRole[role]} ${group}`.trim()]));
};
const roster = (csv: string, dryRun = false, by = lea) =>
  by.client.courses.importRoster({ space, csv: `name,email,role,group\n${csv}`, dryRun });

test("a roster says what it would change, changes it, and lets nobody in whose address is not confirmed", async () => {
  const csv = "Ada,ada@example.org,student,T1\nBob,bob@example.org,student,T2\nNew,new@example.org,student,T2\n";
  await confirm(ada);
  const would = await roster(csv, true);
  expect(would.rows.map(({ action, code }) => [action, code])).toEqual([
    [Action.JOINED, ""],
    [Action.INVITED, ""],
    [Action.INVITED, ""],
  ]);
  expect(await members()).toEqual({ lea: "ADMINISTRATOR" });

  const did = await roster(csv);
  expect(did.rows.map(({ action }) => action)).toEqual([Action.JOINED, Action.INVITED, Action.INVITED]);
  expect(await members()).toEqual({ lea: "ADMINISTRATOR", ada: "PARTICIPANT T1" });
  // Bob has an account of that address; that it is his, nobody has said.
  await expect(bob.client.courses.joinCourse({ space })).rejects.toThrow(/not exist/);
  await confirm(bob);
  expect(await members()).toEqual({ lea: "ADMINISTRATOR", ada: "PARTICIPANT T1", bob: "PARTICIPANT T2" });

  const again = await roster(
    "Ada,ada@example.org,student,T9\nBob,bob@example.org,student,T2\nNew,new@example.org,teaching assistant,\n",
  );
  expect(again.rows.map(({ action, code }) => [action, code])).toEqual([
    [Action.CHANGED, ""],
    [Action.UNCHANGED, ""],
    [Action.CHANGED, ""],
  ]);
  const { invitations } = await lea.client.spaces.listInvitations({ space });
  expect(invitations).toMatchObject([{ email: "new@example.org", role: SpaceRole.ASSISTANT, group: "", usesLeft: 1 }]);
  // By its code whoever was sent it comes in, whatever his address.
  await lou.client.spaces.acceptInvitation({ code: did.rows[2]!.code });
  expect(await members()).toMatchObject({ lou: "ASSISTANT", ada: "PARTICIPANT T9" });
});

test("nothing is changed by a roster with a wrong line, or one that gives what its importer may not", async () => {
  await lea.client.spaces.setMember({ space, userId: bob.id, role: SpaceRole.ORGANISER });
  const before = await members();
  await expect(roster("Eve,eve@example.org,student,\nX,x,student,\n")).rejects.toThrow(/line 3: email/);
  await expect(roster("Eve,eve@example.org,administrator,\n", false, bob)).rejects.toThrow(/only an administrator/);
  expect(await members()).toEqual(before);
  expect((await lea.client.spaces.listInvitations({ space })).invitations).toEqual([]);
});

test("lecturers say nothing of who is one, and a course keeps an administrator", async () => {
  const only = /only an administrator of the course/;
  await expect(bob.client.spaces.setMember({ space, userId: bob.id, role: SpaceRole.ADMINISTRATOR })).rejects.toThrow(
    only,
  );
  await expect(bob.client.spaces.setMember({ space, userId: lea.id, role: SpaceRole.PARTICIPANT })).rejects.toThrow(
    only,
  );
  await expect(bob.client.spaces.removeMember({ space, userId: lea.id })).rejects.toThrow(only);
  const invite = { space, role: SpaceRole.ORGANISER, validSeconds: 60n, uses: 1 };
  await expect(bob.client.spaces.createInvitation(invite)).rejects.toThrow(only);
  await bob.client.spaces.setMember({ space, userId: ada.id, role: SpaceRole.ASSISTANT });
  await expect(lea.client.spaces.setMember({ space, userId: lea.id, role: SpaceRole.ORGANISER })).rejects.toThrow(
    /keeps at least one administrator/,
  );
});

test("a confirmed address like a pattern lets in, as a student", async () => {
  const cat = await server.person("cat");
  await expect(cat.client.courses.joinCourse({ space })).rejects.toThrow(/not exist/);
  await lea.client.spaces.updateSpace({ space, join: { patterns: ["*@example.org"] } });
  await expect(cat.client.courses.joinCourse({ space })).rejects.toThrow(/not confirmed/);
  await confirm(cat);
  expect((await cat.client.courses.joinCourse({ space })).space).toMatchObject({ role: SpaceRole.PARTICIPANT });
  expect(await members()).toMatchObject({ cat: "PARTICIPANT" });
});

test("a competition has none of it", async () => {
  await lea.client.spaces.createSpace({ slug: "cup", title: "Cup" });
  await expect(lea.client.courses.importRoster({ space: "cup", csv: "name,email,role\n" })).rejects.toThrow(
    /competition/,
  );
  await expect(lea.client.spaces.updateSpace({ space: "cup", join: { patterns: [] } })).rejects.toThrow(
    /only a course/,
  );
  const invite = { space: "cup", role: SpaceRole.ASSISTANT, validSeconds: 60n, uses: 1 };
  await expect(lea.client.spaces.createInvitation(invite)).rejects.toThrow(/course's role/);
});

test("announcements: pinned ones first, then the newest, over all pages", async () => {
  for (const [title, pinned] of [
    ["one", false],
    ["two", true],
    ["three", false],
  ] as const)
    await lea.client.courses.postAnnouncement({ space, title, body: "", pinned });
  const titles: string[] = [];
  for (let token = "", more = true; more; more = token !== "") {
    const answer = await ada.client.courses.listAnnouncements({ space, page: { size: 1, token } });
    titles.push(...answer.announcements.map(({ title }) => title));
    token = answer.nextPageToken;
  }
  expect(titles).toEqual(["two", "three", "one"]);
});
