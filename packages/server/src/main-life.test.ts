/** A server's life: starts that fail, several on one database, a database that goes, and ends that were asked for. */
import { request as httpRequest } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { createServer } from "node:net";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { SERVICES } from "@lanista/api/client";
import { fromWire } from "@lanista/api/errors";
import { Health, HealthCheckResponse_ServingStatus as Status } from "@lanista/api/gen/grpc/health/v1/health_pb";
import { Scope } from "@lanista/api/gen/lanista/v1/access_pb";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TestDatabase, testDatabase } from "./testing/database.ts";
import { type TestServer, testServer } from "./testing/server.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

const codeOf = async (call: Promise<unknown>): Promise<string> =>
  await call.then(
    () => "ok",
    (error: unknown) => fromWire(error).code,
  );

const connections = async (): Promise<number> => {
  const { rows } = await sql<{ n: number }>`
    SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`.execute(
    database.db,
  );
  return rows[0]?.n ?? -1;
};

test("a start that fails half-way says why and leaves no connection behind", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  const { port } = taken.address() as { port: number };
  const before = await connections();
  await expect(testServer({ database, flags: { "grpc.port": String(port) } })).rejects.toMatchObject({
    name: "LanistaError",
    code: "unavailable",
    message: expect.stringContaining(`127.0.0.1:${port}`),
  });
  await expect.poll(connections).toBeLessThanOrEqual(before);
  taken.close();
});

test("each start without an administrator draws a new one-time token, and the one before is void", async () => {
  const fresh = await testDatabase();
  const one = await testServer({ database: fresh });
  const two = await testServer({ database: fresh });
  const person = { name: "Ada", email: "ada@example.org", password: "correct horse battery" };
  const init = (secret: string | null) => one.client().tokens.initAdministrator({ ...person, secret: secret ?? "" });
  expect(two.initSecret).not.toBe(one.initSecret);
  expect(await codeOf(init(one.initSecret))).toBe("forbidden");
  expect(await codeOf(init(two.initSecret))).toBe("ok");
  const three = await testServer({ database: fresh });
  expect(three.initSecret).toBeNull();
  for (const server of [one, two, three]) await server.close();
  await fresh.close();
});

describe("two servers on one database", () => {
  let one: TestServer;
  let two: TestServer;
  beforeAll(async () => {
    one = await testServer({ database });
    two = await testServer({ database });
  });
  afterAll(async () => {
    await one.close();
    await two.close();
  });

  test("what one revokes the other refuses", async () => {
    const person = await one.person("both");
    const { secret, token } = await person.client.tokens.createToken({ name: "x", scope: Scope.PARTICIPANT });
    const there = two.client(secret).tokens;
    expect(await codeOf(there.whoAmI({}))).toBe("ok");
    await person.client.tokens.revokeToken({ tokenId: token?.id ?? "" });
    // Long before what the other one keeps would be asked for anew.
    await expect.poll(() => codeOf(there.whoAmI({})), { interval: 20, timeout: 2_500 }).toBe("unauthenticated");
  });

  test("a session of one is good at the other", async () => {
    const person = { name: "Ann", email: "ann@example.org", password: "long enough it is" };
    const { secret } = await createInvitation(one);
    const made = await fetch(`${one.urls.http}/api/auth/sign-up/email`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ ...person, invitation: secret }),
    });
    const { token } = (await made.json()) as { token: string };
    expect((await two.client(token).tokens.whoAmI({})).user?.name).toBe("Ann");
  });

  test("a request sent to both under one key is made once", async () => {
    const person = await one.person("racer", { organiser: true });
    const headers = { "idempotency-key": "the-same" };
    const request = { slug: "raced", title: "Raced" };
    const clients = [one, two, one, two].map((server) => server.client(person.token));
    const answers = await Promise.all(clients.map((client) => client.spaces.createSpace(request, { headers })));
    expect(new Set(answers.map((answer) => answer.space?.id)).size).toBe(1);
  });

  test("connections to the database that are cut fail no call by a fault of ours, and come back", async () => {
    const person = await one.person("patient");
    const codes = new Set<string>();
    for (let at = 0; at < 5; at++) {
      const calls = Array.from({ length: 20 }, () => codeOf(person.client.spaces.listSpaces({})));
      await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()`.execute(database.db);
      for (const code of await Promise.all(calls)) codes.add(code);
    }
    codes.delete("ok");
    codes.delete("unavailable");
    expect([...codes]).toEqual([]);
    await expect.poll(() => codeOf(person.client.spaces.listSpaces({}))).toBe("ok");
  });
});

async function createInvitation(server: TestServer): Promise<{ secret: string }> {
  const host = await server.person("host", { organiser: true });
  await host.client.spaces.createSpace({ slug: "hosted", title: "Hosted" });
  const { code } = await host.client.spaces.createInvitation({ space: "hosted", role: 1, validSeconds: 600n, uses: 5 });
  return { secret: code };
}

describe("gRPC", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await testServer({ database, flags: { "limits.requestSeconds": "1" } });
  });
  afterAll(() => server.close());

  test("the same services over gRPC and gRPC-Web, with the same errors", async () => {
    const transports = [
      createGrpcTransport({ baseUrl: server.urls.grpc ?? "" }),
      createGrpcWebTransport({ baseUrl: server.urls.http, httpVersion: "1.1" }),
    ];
    const person = await server.person(`caller`);
    for (const transport of transports) {
      const client = createClient(SERVICES.tokens, transport);
      const headers = { authorization: `Bearer ${person.token}` };
      expect((await client.whoAmI({}, { headers })).user?.id).toBe(person.id);
      expect(await codeOf(client.whoAmI({}))).toBe("unauthenticated");
      expect(await codeOf(client.listUsers({}, { headers }))).toBe("forbidden");
      expect(await codeOf(client.revokeToken({ tokenId: "no id" }, { headers }))).toBe("invalid");
    }
  });

  test("a request whose body never ends is ended within the bound", async () => {
    const person = await server.person("dripping");
    const session = connectHttp2(server.urls.grpc ?? "");
    const stream = session.request({
      ":method": "POST",
      ":path": "/lanista.v1.TokenService/WhoAmI",
      "content-type": "application/proto",
      authorization: `Bearer ${person.token}`,
    });
    stream.on("error", () => {});
    const drip = setInterval(() => stream.write(new Uint8Array(1)), 100);
    const since = performance.now();
    await new Promise((resolve) => stream.once("close", resolve));
    clearInterval(drip);
    expect(performance.now() - since).toBeLessThan(30_000);
    session.destroy();
  });

  test("its standard health service", async () => {
    const client = createClient(Health, createGrpcTransport({ baseUrl: server.urls.grpc ?? "" }));
    for (const service of ["", "executor.Executor", "lanista.v1.JobService"])
      expect((await client.check({ service })).status, service).toBe(Status.SERVING);
    expect(await codeOf(client.check({ service: "no.Such" }))).toBe("not_found");
    for await (const { status } of client.watch({ service: "" })) {
      expect(status).toBe(Status.SERVING);
      break;
    }
  });
});

test("an end that was asked for: readiness fails while all is still answered, as long as balancers need to see it", async () => {
  const server = await testServer({ database, flags: { unreadySeconds: "2" } });
  const ready = async () => (await fetch(`${server.urls.http}/readyz`)).status;
  const person = await server.person("late");
  expect(await ready()).toBe(200);
  const closed = server.close();
  expect(await ready()).toBe(503);
  // A call of somebody who was sent here by a balancer that has not looked yet.
  expect(await codeOf(person.client.tokens.whoAmI({}))).toBe("ok");
  expect((await fetch(`${server.urls.http}/healthz`)).status).toBe(200);
  const grpc = createClient(Health, createGrpcTransport({ baseUrl: server.urls.grpc ?? "" }));
  expect((await grpc.check({ service: "" })).status).toBe(Status.NOT_SERVING);
  await closed;
  await expect(ready()).rejects.toThrow();
});

test("readiness fails while the database is away, and comes back with it", async () => {
  const away = await testDatabase();
  const server = await testServer({ database: away });
  const ready = async () => (await (await fetch(`${server.urls.http}/readyz`)).json()) as unknown;
  await expect.poll(ready).toEqual({ status: "ready", missing: [] });
  const name = new URL(away.url).pathname.slice(1);
  await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ${name}`.execute(database.db);
  const refuse = (yes: boolean) =>
    sql`ALTER DATABASE ${sql.id(name)} WITH ALLOW_CONNECTIONS ${sql.raw(String(!yes))}`.execute(database.db);
  await refuse(true);
  await sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ${name}`.execute(database.db);
  await expect.poll(ready, { timeout: 10_000 }).toEqual({ status: "not ready", missing: ["database"] });
  expect((await fetch(`${server.urls.http}/readyz`)).status).toBe(503);
  expect((await fetch(`${server.urls.http}/healthz`)).status).toBe(200);
  await refuse(false);
  await expect.poll(ready, { timeout: 15_000 }).toEqual({ status: "ready", missing: [] });
  await server.close();
  await away.close();
}, 60_000);

test("an end that was asked for: streams end, readiness fails, calls in flight finish, and all is released", async () => {
  const server = await testServer({ database });
  const client = createClient(Health, createGrpcTransport({ baseUrl: server.urls.grpc ?? "" }));
  const seen: Status[] = [];
  const watched = (async () => {
    try {
      for await (const { status } of client.watch({ service: "" })) seen.push(status);
      return seen;
    } catch (error) {
      return fromWire(error).code;
    }
  })();
  await expect.poll(async () => (await fetch(`${server.urls.http}/readyz`)).status).toBe(200);
  await expect.poll(() => seen.length).toBe(1);
  // Half a request is there when the end is asked for; its other half comes later.
  const body = JSON.stringify({ email: "nobody@example.org", password: "something or other" });
  const slow = httpRequest(`${server.urls.http}/api/auth/sign-in/email`, {
    method: "POST",
    headers: { "content-type": "application/json", "content-length": body.length, expect: "100-continue" },
  });
  slow.flushHeaders();
  await new Promise((resolve) => slow.once("continue", resolve));
  setTimeout(() => slow.end(body), 500);
  const answered = new Promise<number | undefined>((resolve, reject) => {
    slow.once("response", (response) => resolve(response.resume().statusCode));
    slow.once("error", reject);
  });
  // Sooner than the half minute that it would wait for what does not end.
  const before = performance.now();
  await server.close();
  expect(performance.now() - before).toBeLessThan(25_000);
  expect(await answered).toBe(401);
  expect(await watched).toEqual([Status.SERVING]);
  await expect(fetch(`${server.urls.http}/healthz`)).rejects.toThrow();
});
