import { fromWire } from "@lanista/api/errors";
import { Scope, SpaceRole } from "@lanista/api/gen/lanista/v1/access_pb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TestServer, testServer } from "./testing/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.close());

const codeOf = async (call: Promise<unknown>): Promise<string> =>
  await call.then(
    () => "ok",
    (error: unknown) => fromWire(error).code,
  );

test("the one-time token of the first start makes the administrator, once", async () => {
  const { initSecret } = server;
  const anybody = server.client().tokens;
  const person = { name: "Ada", email: "ada@example.org", password: "correct horse battery" };
  expect(await codeOf(anybody.initAdministrator({ ...person, secret: "init_wrong" }))).toBe("forbidden");
  const { user, token } = await anybody.initAdministrator({ ...person, secret: initSecret ?? "" });
  expect(user).toMatchObject({ name: "Ada", administrator: true });
  expect(await codeOf(anybody.initAdministrator({ ...person, secret: initSecret ?? "" }))).toBe("forbidden");
  const who = await server.client(token).tokens.whoAmI({});
  expect(who.scopes).toEqual([Scope.PARTICIPANT, Scope.ORGANISER, Scope.ADMINISTRATOR]);
});

test("health, readiness, the status page, security headers and the request's id", async () => {
  for (const path of ["/healthz", "/readyz", "/"]) {
    const answer = await fetch(server.urls.http + path, { headers: { "x-request-id": "my-own-request" } });
    expect(answer.status, path).toBe(200);
    expect(answer.headers.get("x-request-id")).toBe("my-own-request");
    expect(answer.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
    await answer.arrayBuffer();
  }
  const none = await fetch(`${server.urls.http}/nowhere`, { headers: { "x-request-id": "bad id <>" } });
  expect(none.status).toBe(404);
  expect(await none.json()).toMatchObject({ code: "not_found", requestId: none.headers.get("x-request-id") });
  expect(none.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
});

describe("spaces", () => {
  test("a space's life: founded, joined by an invitation, left with an organiser", async () => {
    const founder = await server.person("founder", { organiser: true });
    const guest = await server.person("guest");
    expect(await codeOf(guest.client.spaces.createSpace({ slug: "mine", title: "Mine" }))).toBe("forbidden");
    const { space } = await founder.client.spaces.createSpace({ slug: "course", title: "A course" });
    expect(space?.role).toBe(SpaceRole.ORGANISER);
    expect(await codeOf(founder.client.spaces.createSpace({ slug: "course", title: "Again" }))).toBe("exists");
    expect(await codeOf(guest.client.spaces.getSpace({ space: "course" }))).toBe("not_found");

    const { code } = await founder.client.spaces.createInvitation({
      space: "course",
      role: SpaceRole.PARTICIPANT,
      validSeconds: 3600n,
      uses: 1,
    });
    expect((await guest.client.spaces.acceptInvitation({ code })).space?.role).toBe(SpaceRole.PARTICIPANT);
    expect(await codeOf(founder.client.spaces.acceptInvitation({ code }))).toBe("not_found");
    expect(await codeOf(guest.client.spaces.listMembers({ space: "course" }))).toBe("forbidden");
    const { members } = await founder.client.spaces.listMembers({ space: space?.id ?? "" });
    expect(members.map((member) => member.name).sort()).toEqual(["founder", "guest"]);

    expect(await codeOf(founder.client.spaces.removeMember({ space: "course", userId: founder.id }))).toBe("conflict");
    await founder.client.spaces.setMember({ space: "course", userId: guest.id, role: SpaceRole.ORGANISER });
    await guest.client.spaces.removeMember({ space: "course", userId: founder.id });
    expect(await codeOf(founder.client.spaces.getSpace({ space: "course" }))).toBe("not_found");
    const { entries } = await guest.client.spaces.listAudit({ space: "course" });
    expect(entries.map((entry) => entry.action.split("/")[1])).toEqual([
      "RemoveMember",
      "SetMember",
      "AcceptInvitation",
      "CreateInvitation",
      "CreateSpace",
    ]);
    expect(entries.map((entry) => entry.detailJson).join()).not.toContain(code);
  });

  test("an invitation's last use goes to one of two who come at once", async () => {
    const founder = await server.person("host", { organiser: true });
    await founder.client.spaces.createSpace({ slug: "few", title: "Few" });
    const { code } = await founder.client.spaces.createInvitation({
      space: "few",
      role: SpaceRole.PARTICIPANT,
      validSeconds: 3600n,
      uses: 3,
    });
    const guests = await Promise.all(Array.from({ length: 8 }, (_, at) => server.person(`crowd${at}`)));
    const ends = await Promise.all(guests.map((one) => codeOf(one.client.spaces.acceptInvitation({ code }))));
    expect(ends.filter((end) => end === "ok")).toHaveLength(3);
    expect(ends.filter((end) => end === "not_found")).toHaveLength(5);
  });
});

test("the same key gives the same answer and one effect", async () => {
  const person = await server.person("twice", { organiser: true });
  const headers = { "idempotency-key": "k-1" };
  const first = await person.client.spaces.createSpace({ slug: "once", title: "Once" }, { headers });
  const again = await person.client.spaces.createSpace({ slug: "once", title: "Once" }, { headers });
  expect(again).toEqual(first);
  expect(await codeOf(person.client.spaces.createSpace({ slug: "other", title: "Once" }, { headers }))).toBe("aborted");
});

test("an answer with a secret comes again under its key, and is not to be read from the database", async () => {
  const person = await server.person("secretive");
  const headers = { "idempotency-key": "k-secret" };
  const request = { name: "x", scope: Scope.PARTICIPANT };
  const { secret } = await person.client.tokens.createToken(request, { headers });
  expect((await person.client.tokens.createToken(request, { headers })).secret).toBe(secret);
  const { db } = server.database;
  const dump = JSON.stringify([
    await db.selectFrom("idempotency").select(["caller", "key", "method"]).execute(),
    (await db.selectFrom("idempotency").select("response").execute()).map((row) => row.response.toString("latin1")),
    await db.selectFrom("audit").selectAll().execute(),
    (await db.selectFrom("tokens").selectAll().execute()).map((row) => ({
      ...row,
      secret_hash: row.secret_hash.toString("latin1"),
    })),
  ]);
  expect(dump).not.toContain(secret.slice("lanista_".length + 8));
  expect(dump).not.toContain("k-secret");
});

test("a revoked token is refused at once", async () => {
  const person = await server.person("revoker");
  const { token, secret } = await person.client.tokens.createToken({ name: "x", scope: Scope.PARTICIPANT });
  const other = server.client(secret);
  expect((await other.tokens.whoAmI({})).tokenId).toBe(token?.id);
  await person.client.tokens.revokeToken({ tokenId: token?.id ?? "" });
  expect(await codeOf(other.tokens.whoAmI({}))).toBe("unauthenticated");
});

describe("accounts", () => {
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${server.urls.http}/api/auth/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });

  test("signing up needs an invitation, uses it up, and makes a member", async () => {
    const founder = await server.person("inviter", { organiser: true });
    await founder.client.spaces.createSpace({ slug: "by-letter", title: "By letter" });
    const { code } = await founder.client.spaces.createInvitation({
      space: "by-letter",
      role: SpaceRole.PARTICIPANT,
      validSeconds: 3600n,
      uses: 1,
    });
    const person = { name: "Bo", email: "bo@example.org", password: "long enough it is" };
    expect((await post("sign-up/email", person)).status).toBe(403);
    expect((await post("sign-up/email", { ...person, invitation: "invite_x" })).status).toBe(404);
    expect((await post("sign-up/email", { ...person, password: "short", invitation: code })).status).toBe(400);
    const made = await post("sign-up/email", { ...person, administrator: true, invitation: code });
    expect(made.status).toBe(200);
    const { token } = (await made.json()) as { token: string };
    const me = server.client(token);
    const { user, scopes } = await me.tokens.whoAmI({});
    expect(user).toMatchObject({ name: "Bo", administrator: false, organiser: false });
    expect(scopes).toEqual([Scope.PARTICIPANT]);
    expect((await me.spaces.listSpaces({})).spaces.map((space) => space.slug)).toEqual(["by-letter"]);
    expect((await post("sign-up/email", { ...person, email: "c@example.org", invitation: code })).status).toBe(404);
  });
});
