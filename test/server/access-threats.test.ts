/** threats.md, The server: what is about connections, bodies, sessions and pages. Each test is named after its line. */
import { request as httpRequest } from "node:http";
import { connect as connectTcp, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { SERVICES } from "@lanista/api/client";
import { fromWire } from "@lanista/api/errors";
import { type TestPerson, type TestServer, testServer } from "@lanista/server/testing/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const BOUND = 100;
let server: TestServer;
let founder: TestPerson;
beforeAll(async () => {
  server = await testServer({
    flags: {
      signup: "open",
      "limits.connections": String(BOUND),
      "limits.requestSeconds": "1",
      "limits.signInPerMinute": "1000",
    },
  });
  founder = await server.person("founder", { organiser: true });
});
afterAll(() => server.close());

const rpc = (method: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
  fetch(`${server.urls.http}/lanista.v1.${method}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${founder.token}`, ...headers },
    body,
  });

function tcp(): Promise<Socket> {
  const { port, hostname } = new URL(server.urls.http);
  return new Promise((resolve, reject) => {
    const socket = connectTcp(Number(port), hostname, () => resolve(socket));
    socket.on("error", reject);
  });
}

const closed = (socket: Socket): Promise<number> => {
  const since = performance.now();
  socket.resume();
  return new Promise((resolve) => socket.once("close", () => resolve(performance.now() - since)));
};

test("10,000 concurrent connections: those over the bound are closed, those within it served", async () => {
  const open = new Set<Socket>();
  const first = await tcp();
  const ask = (): Promise<string> => {
    const answer = new Promise<string>((resolve) => first.once("data", (data) => resolve(String(data))));
    first.write("GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n");
    return answer;
  };
  expect(await ask()).toContain("200 OK");
  let most = 0;
  let tried = 0;
  while (tried < 10_000) {
    const some = await Promise.allSettled(Array.from({ length: 500 }, tcp));
    tried += some.length;
    for (const one of some) {
      if (one.status !== "fulfilled") continue;
      const socket = one.value;
      open.add(socket);
      socket.on("error", () => {});
      socket.resume();
      socket.once("close", () => open.delete(socket));
      if (socket.destroyed) open.delete(socket);
    }
    // A close takes a moment to come through; beyond it, no more than the bound are open.
    for (let waited = 0; open.size > BOUND && waited < 20_000; waited += 10) await sleep(10);
    most = Math.max(most, open.size);
  }
  expect(tried).toBe(10_000);
  expect(most).toBeLessThanOrEqual(BOUND);
  expect(most).toBeGreaterThan(BOUND / 2);
  // Who was there before is answered in the middle of it.
  expect(await ask()).toContain("200 OK");
  for (const socket of [...open, first]) socket.destroy();
  await expect.poll(async () => (await fetch(`${server.urls.http}/readyz`).catch(() => null))?.status).toBe(200);
});

describe("slow clients", () => {
  test.each([
    ["headers that never end", "POST /lanista.v1.TokenService/WhoAmI HTTP/1.1\r\nhost: x\r\n", "x-a: b\r\n"],
    [
      "a body that never ends",
      "POST /lanista.v1.TokenService/WhoAmI HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{",
      " ",
    ],
  ])("%s: the connection is closed within the bound", async (_name, start, more) => {
    const socket = await tcp();
    socket.on("error", () => {});
    socket.write(start);
    const drip = setInterval(() => socket.write(more), 100);
    const took = await closed(socket);
    clearInterval(drip);
    expect(took).toBeLessThan(30_000);
  });
});

describe("request bodies of the wrong type", () => {
  const deep = `${'{"page":'.repeat(5_000)}1${"}".repeat(5_000)}`;
  test.each([
    ["an array", "[]"],
    ["a number", "1"],
    ["null", "null"],
    ["half a document", '{"page":'],
    ["nothing", ""],
    ["deep nesting", deep],
    ["a string for a message", '{"page":"x"}'],
    ["a number out of range", '{"page":{"size":1e400}}'],
    ["NaN", '{"page":{"size":"NaN"}}'],
    ["a field that is none", '{"nothing":1}'],
    ["__proto__", '{"__proto__":{"administrator":true}}'],
    ["invalid UTF-8", new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])],
  ])("%s", async (_name, body) => {
    const answer = await rpc("SpaceService/ListSpaces", body);
    expect(answer.status).toBe(400);
    expect(answer.headers.get("content-type")).toContain("application/json");
    expect(((await answer.json()) as { code: string }).code).toBe("invalid_argument");
  });

  test.each([
    ["XML", "application/xml"],
    ["a form", "application/x-www-form-urlencoded"],
    ["text, as a form of another site could send it", "text/plain"],
    ["no type", ""],
  ])("%s", async (_name, type) => {
    const answer = await rpc("SpaceService/ListSpaces", "{}", { "content-type": type });
    expect(answer.status).toBe(415);
    await answer.arrayBuffer();
  });

  test("garbage in protobuf", async () => {
    const body = new Uint8Array(1000).fill(0xff);
    const answer = await rpc("SpaceService/ListSpaces", body, { "content-type": "application/proto" });
    expect(answer.status).toBe(400);
    await answer.arrayBuffer();
  });

  test("a body over the bound, and one that unpacks to more than that", async () => {
    const large = `{"slug":"${"x".repeat(5 * 2 ** 20)}"}`;
    for (const [body, headers] of [
      [large, {}],
      [gzipSync(large), { "content-encoding": "gzip" }],
    ] as const) {
      const answer = await rpc("SpaceService/CreateSpace", body, headers);
      expect(answer.status).toBe(413);
      expect(await answer.json()).toMatchObject({
        code: "out_of_range",
        details: [{ debug: { code: "too_large", requestId: answer.headers.get("x-request-id") } }],
      });
    }
    // As at an address that is no RPC's, and in our own client's words.
    const plain = await fetch(`${server.urls.http}/api/auth/sign-in/email`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: large,
    });
    expect(plain.status).toBe(413);
    expect(await plain.json()).toMatchObject({ code: "too_large" });
    const slug = "x".repeat(5 * 2 ** 20);
    const grpc = createClient(SERVICES.spaces, createGrpcTransport({ baseUrl: server.urls.grpc ?? "" }));
    const headers = { authorization: `Bearer ${founder.token}` };
    const code = await grpc.createSpace({ slug }, { headers }).then(
      () => "ok",
      (error: unknown) => fromWire(error).code,
    );
    expect(code).toBe("too_large");
  });

  test("a large report is refused by its token before it is read", async () => {
    const answer = await new Promise<{ status: number | undefined; sent: number }>((resolve, reject) => {
      const request = httpRequest(`${server.urls.http}/lanista.v1.WorkerService/Report`, {
        method: "POST",
        headers: {
          "content-type": "application/proto",
          authorization: `Bearer ${founder.token}`,
          "content-length": String(60 * 2 ** 20),
        },
      });
      request.once("response", (response) => resolve({ status: response.statusCode, sent: 0 }));
      request.once("error", reject);
      request.write(new Uint8Array(1000));
    });
    expect(answer.status).toBe(403);
  });
});

describe("sessions", () => {
  const auth = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${server.urls.http}/api/auth/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: server.urls.http, ...headers },
      body: JSON.stringify(body),
    });
  const cookieOf = (answer: Response): string => {
    const line = answer.headers.getSetCookie().find((one) => one.includes("session_token")) ?? "";
    expect(line).toMatch(/httponly/i);
    expect(line).toMatch(/samesite=lax/i);
    return line.split(";", 1)[0] ?? "";
  };
  const person = { name: "Eve", email: "eve@example.org", password: "a password of hers" };
  const whoAmI = (headers: Record<string, string>) =>
    fetch(`${server.urls.http}/lanista.v1.TokenService/WhoAmI`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: "{}",
    });

  test("session fixation: signing in makes a new session, and signing out ends it", async () => {
    const planted = cookieOf(await auth("sign-up/email", person));
    const fresh = cookieOf(await auth("sign-in/email", person, { cookie: planted }));
    expect(fresh).not.toBe(planted);
    const forged = "lanista.session_token=chosen-by-the-attacker.c2lnbmF0dXJl";
    const answer = await auth("sign-in/email", person, { cookie: forged });
    expect(cookieOf(answer)).not.toContain("chosen-by-the-attacker");
    expect((await whoAmI({ cookie: forged, origin: server.urls.http })).status).toBe(401);

    expect((await whoAmI({ cookie: fresh, origin: server.urls.http })).status).toBe(200);
    expect((await auth("sign-out", {}, { cookie: fresh })).status).toBe(200);
    expect((await whoAmI({ cookie: fresh, origin: server.urls.http })).status).toBe(401);
  });

  test("a new password ends every session", async () => {
    const cookie = cookieOf(await auth("sign-in/email", person));
    const administrator = await server.person("resetter", { administrator: true });
    const { secret } = await administrator.client.tokens.createResetToken({ user: person.email });
    expect((await auth("reset-password", { token: secret, newPassword: "quite another one" })).status).toBe(200);
    expect((await whoAmI({ cookie, origin: server.urls.http })).status).toBe(401);
    expect((await auth("reset-password", { token: secret, newPassword: "a third one, too" })).status).toBe(400);
    expect((await auth("sign-in/email", person)).status).toBe(401);
    person.password = "quite another one";
  });

  test("cross-site requests: a session's cookie is good for pages of this server only", async () => {
    const cookie = cookieOf(await auth("sign-in/email", person));
    const statusOf = async (headers: Record<string, string>) => (await whoAmI({ cookie, ...headers })).status;
    expect(await statusOf({ origin: server.urls.http })).toBe(200);
    expect(await statusOf({ "sec-fetch-site": "same-origin" })).toBe(200);
    expect(await statusOf({})).toBe(403);
    expect(await statusOf({ origin: "https://evil.example" })).toBe(403);
    expect(await statusOf({ origin: "null" })).toBe(403);
    expect(await statusOf({ "sec-fetch-site": "cross-site", origin: server.urls.http })).toBe(403);
    expect(await statusOf({ "sec-fetch-site": "same-site" })).toBe(403);
    // Nor is anybody signed in, or out, from there.
    expect((await auth("sign-in/email", person, { origin: "https://evil.example" })).status).toBe(403);
    expect((await auth("sign-out", {}, { origin: "https://evil.example", cookie })).status).toBe(403);
    expect(await statusOf({ origin: server.urls.http })).toBe(200);
  });

  test("a locked person's session and token open nothing, and he cannot sign in", async () => {
    const cookie = cookieOf(await auth("sign-in/email", person));
    const administrator = await server.person("locker", { administrator: true });
    const { users } = await administrator.client.tokens.listUsers({ search: person.email });
    await administrator.client.tokens.updateUser({ userId: users[0]?.id ?? "", locked: true });
    expect((await whoAmI({ cookie, origin: server.urls.http })).status).toBe(401);
    expect((await auth("sign-in/email", person)).status).toBe(403);
  });

  test("nobody makes himself an administrator by signing up or by changing his name", async () => {
    const more = { administrator: true, organiser: true, locked: false };
    const made = await auth("sign-up/email", { ...person, email: "mallory@example.org", ...more });
    const cookie = cookieOf(made);
    await auth("update-user", { name: "Mallory", ...more }, { cookie });
    const { user } = (await (await whoAmI({ cookie, origin: server.urls.http })).json()) as { user: object };
    expect(user).toMatchObject({ administrator: false, organiser: false });
  });
});

test("another spelling of a path leads nowhere", async () => {
  const closed = await testServer({ flags: { signup: "closed" } });
  try {
    const body = JSON.stringify({ name: "M", email: "m@example.org", password: "long enough it is" });
    for (const path of [
      "sign-up/email",
      "sign-up/email/",
      "/sign-up/email",
      "sign-up//email",
      "./sign-up/email",
      "x/../sign-up/email",
      "sign-up/%65mail",
      "SIGN-UP/EMAIL",
      "sign-up/email;x",
      "sign-up%2femail",
    ]) {
      const answer = await fetch(`${closed.urls.http}/api/auth/${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
      expect([403, 404], path).toContain(answer.status);
    }
    const people = await closed.database.db.selectFrom("user").select("id").execute();
    expect(people).toEqual([]);
  } finally {
    await closed.close();
  }
});

describe("stored HTML or script in names", () => {
  const script = "<img src=x onerror=alert(1)>";

  test("comes back as JSON that no browser takes for a page", async () => {
    await founder.client.spaces.createSpace({ slug: "html", title: script });
    const answer = await rpc("SpaceService/GetSpace", '{"space":"html"}');
    expect(answer.headers.get("content-type")).toContain("application/json");
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
    expect(answer.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(((await answer.json()) as { space: { title: string } }).space.title).toBe(script);
  });

  test("an address that is none is not echoed into a page", async () => {
    const answer = await fetch(`${server.urls.http}/${encodeURIComponent(script)}?${script}`);
    expect(answer.status).toBe(404);
    expect(answer.headers.get("content-type")).toContain("application/json");
    expect(await answer.text()).not.toContain("onerror");
  });
});

test("rate limits: the standard headers, and a refusal that says when to come back", async () => {
  const limited = await testServer({ flags: { "limits.ratePerMinute": "5", "limits.signInPerMinute": "3" } });
  try {
    const call = () =>
      fetch(`${limited.urls.http}/lanista.v1.EnvironmentService/ListEnvironments`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: "{}",
      });
    const first = await call();
    expect(first.headers.get("ratelimit-limit")).toBe("5");
    expect(first.headers.get("ratelimit-remaining")).toBe("4");
    for (let at = 0; at < 4; at++) expect((await call()).status).toBe(200);
    const refused = await call();
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(refused.headers.get("ratelimit-remaining")).toBe("0");
    // Somebody with a good token from the same address is not kept out by it.
    const person = await limited.person("patient");
    expect((await person.client.tokens.whoAmI({})).user?.name).toBe("patient");
    const guess = () =>
      fetch(`${limited.urls.http}/api/auth/sign-in/email`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ email: "a@example.org", password: "guess guess" }),
      });
    const statuses: number[] = [];
    for (let at = 0; at < 4; at++) statuses.push((await guess()).status);
    expect(statuses).toEqual([401, 401, 401, 429]);
  } finally {
    await limited.close();
  }
});
