/** What strangers and cheating participants try from outside, on a whole server. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { fromWire } from "@lanista/api/errors";
import { Scope, SpaceRole } from "@lanista/api/gen/lanista/v1/access_pb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeToken } from "../accounts/tokens.ts";
import { type TestPerson, type TestServer, testServer } from "../testing/server.ts";

let server: TestServer;
let organiser: TestPerson;
let participant: TestPerson;
let ladderId: string;
beforeAll(async () => {
  server = await testServer({ flags: { signup: "open" } });
  organiser = await server.person("organiser", { organiser: true });
  participant = await server.person("participant");
  await organiser.client.spaces.createSpace({ slug: "one", title: "One" });
  const { ladder } = await organiser.client.ladders.createLadder({
    space: "one",
    slug: "l",
    title: "L",
    rules: { env: "connect-four" },
  });
  ladderId = ladder?.id ?? "";
});
afterAll(() => server.close());

const codeOf = async (call: Promise<unknown>): Promise<string> =>
  await call.then(
    () => "ok",
    (error: unknown) => fromWire(error).code,
  );

const invitation = async (uses: number, role = SpaceRole.PARTICIPANT): Promise<string> =>
  (await organiser.client.spaces.createInvitation({ space: "one", role, validSeconds: 600n, uses })).code;

test("nobody uses up an invitation for others: who is a member takes no place again", async () => {
  const code = await invitation(2);
  const accept = (who: TestPerson) => codeOf(who.client.spaces.acceptInvitation({ code }));
  expect(await accept(participant)).toBe("ok");
  expect(await accept(participant)).toBe("ok");
  expect(await accept(organiser)).toBe("ok");
  expect(await accept(await server.person("second"))).toBe("ok");
  expect(await accept(await server.person("third"))).toBe("not_found");
  const up = await invitation(1, SpaceRole.ORGANISER);
  expect((await participant.client.spaces.acceptInvitation({ code: up })).space?.role).toBe(SpaceRole.ORGANISER);
  const last = await server.person("last");
  expect(await codeOf(last.client.spaces.acceptInvitation({ code: up }))).toBe("not_found");
});

test("a submission that is refused leaves no bytes in the store", async () => {
  const stored = async (): Promise<string[]> =>
    (await readdir(join(server.folder), { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map(({ name }) => name);
  const submit = (who: TestPerson, agent: string, fill: number) =>
    who.client.submissions.submit({
      ladderId,
      agent,
      bundle: { case: "zip", value: new Uint8Array(1000).fill(fill) },
    });
  await submit(organiser, "mine", 1);
  const before = await stored();
  expect(before.length).toBeGreaterThan(0);
  expect(await codeOf(submit(await server.person("stranger"), "his", 2))).toBe("not_found");
  const member = await server.person("member");
  await member.client.spaces.acceptInvitation({ code: await invitation(1) });
  expect(await codeOf(submit(member, "mine", 3))).toBe("exists");
  await organiser.client.spaces.updateSpace({ space: "one", quotaBytes: 1500n });
  await submit(member, "his", 4);
  expect(await codeOf(submit(member, "his", 5))).toBe("quota_exceeded");
  expect((await stored()).length).toBe(before.length + 1);
});

test.each([
  ["a terminal's commands", "a\u009b2Jb"],
  ["turned text", "a\u202eb"],
  ["a line's end", "a\u2028b"],
])("a person's name has no %s", async (_what, name) => {
  const signUp = async (shown: string, email: string): Promise<number> => {
    const answer = await fetch(`${server.urls.http}/api/auth/sign-up/email`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name: shown, email, password: "a good password" }),
    });
    return answer.status;
  };
  const email = `n${name.charCodeAt(1)}@example.org`;
  expect(await signUp(name, email)).toBe(400);
  expect(await signUp("Zoë Ångström 李", email)).toBe(200);
});

test("an organiser does not see the workers and queues of another's space", async () => {
  const administrator = await server.person("administrator", { administrator: true });
  const rival = await server.person("rival", { organiser: true });
  await rival.client.spaces.createSpace({ slug: "two", title: "Two" });
  await administrator.client.jobs.updateQueue({ name: "two-secret", space: "two" });
  const { secret } = await administrator.client.tokens.createToken({
    name: "worker",
    scope: Scope.WORKER,
    queues: ["default", "two-secret"],
  });
  const hello = async (workerId: string, queues: string[]): Promise<void> => {
    const kinds = ["noop"];
    const stream = server
      .client(secret)
      .workers.attend({ hello: { workerId, name: workerId, queues, kinds, concurrency: 1 } });
    for await (const _ of stream) break;
  };
  const [shared, hidden] = ["00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"];
  await hello(shared, ["default", "two-secret"]);
  await hello(hidden, ["two-secret"]);
  const seen = async (who: TestPerson) =>
    Object.fromEntries((await who.client.workers.listWorkers({})).workers.map(({ id, queues }) => [id, queues]));
  const all = { [shared]: ["default", "two-secret"], [hidden]: ["two-secret"] };
  expect(await seen(organiser)).toEqual({ [shared]: ["default"] });
  expect(await seen(rival)).toEqual(all);
  expect(await seen(administrator)).toEqual(all);
  const elsewhere = await makeToken(server.database.db, {
    name: "t",
    scope: "organiser",
    userId: rival.id,
    createdBy: rival.id,
    spaceId: (await organiser.client.spaces.getSpace({ space: "one" })).space?.id ?? "",
    queues: [],
    seconds: 60,
  });
  expect(await codeOf(server.client(elsewhere.secret).spaces.getSpace({ space: "two" }))).toBe("not_found");
});

test("who sets a forgotten password anew is rid of whoever had his session, his token or a mail of his", async () => {
  const administrator = await server.person("helper", { administrator: true });
  const post = async (path: string, body: object) =>
    await fetch(`${server.urls.http}/api/auth/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  const email = "victim@example.org";
  const signed = await post("sign-up/email", { name: "Victim", email, password: "a good password" });
  const { token: session } = (await signed.json()) as { token: string };
  const ofSession = server.client(session);
  const { secret: token } = await ofSession.tokens.createToken({ name: "stolen", scope: Scope.PARTICIPANT });
  const { secret: machine } = await administrator.client.tokens.createToken({ name: "w", scope: Scope.WORKER });
  const ofToken = server.client(token);
  expect(await codeOf(ofToken.tokens.whoAmI({}))).toBe("ok");
  const resetToken = async () => (await administrator.client.tokens.createResetToken({ user: email })).secret;
  const [intercepted, own] = [await resetToken(), await resetToken()];
  const reset = async (secret: string, newPassword: string) =>
    (await post("reset-password", { token: secret, newPassword })).status;
  expect(await reset(own, "a better password")).toBe(200);
  expect(await codeOf(ofSession.tokens.whoAmI({}))).toBe("unauthenticated");
  await expect.poll(() => codeOf(ofToken.tokens.whoAmI({}))).toBe("unauthenticated");
  expect(await reset(intercepted, "the thief's password")).toBe(400);
  expect((await post("sign-in/email", { email, password: "a better password" })).status).toBe(200);
  expect(await codeOf(server.client(machine).tokens.whoAmI({}))).toBe("ok");
  expect(await codeOf(administrator.client.tokens.whoAmI({}))).toBe("ok");
});

test("bundles in the store are their owner's alone to read", async () => {
  const { digest } = await server.app.store.put(Buffer.from("a secret agent"));
  const [file] = (await readdir(server.folder, { recursive: true })).filter((path) => path.endsWith(digest));
  expect((await stat(join(server.folder, file ?? ""))).mode & 0o777).toBe(0o600);
});
