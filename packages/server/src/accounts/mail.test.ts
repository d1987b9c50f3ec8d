import { createServer, type Server, type Socket } from "node:net";
import { fromWire } from "@lanista/api/errors";
import { SpaceKind } from "@lanista/api/gen/lanista/v1/spaces_pb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestServer, testServer } from "../testing/server.ts";

/** As much of a mail server as takes a mail: what it was told, line by line. */
interface MailServer {
  readonly url: string;
  readonly mails: string[];
  readonly server: Server;
}

async function mailServer(): Promise<MailServer> {
  const mails: string[] = [];
  const server = createServer((socket: Socket) => {
    let mail: string | null = null;
    let rest = "";
    socket.on("error", () => {});
    socket.write("220 test\r\n");
    socket.on("data", (data) => {
      rest += String(data);
      for (let end = rest.indexOf("\r\n"); end >= 0; end = rest.indexOf("\r\n")) {
        const line = rest.slice(0, end);
        rest = rest.slice(end + 2);
        if (mail !== null) {
          if (line !== ".") mail += `${line}\n`;
          else {
            mails.push(mail);
            mail = null;
            socket.write("250 taken\r\n");
          }
        } else if (/^data/i.test(line)) {
          mail = "";
          socket.write("354 go on\r\n");
        } else if (/^quit/i.test(line)) socket.end("221 bye\r\n");
        else socket.write("250 yes\r\n");
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return { url: `smtp://127.0.0.1:${port}`, mails, server };
}

let mail: MailServer;
let server: TestServer;
beforeAll(async () => {
  mail = await mailServer();
  server = await testServer({ flags: { "smtp.url": mail.url, signup: "open", "limits.signInPerMinute": "100" } });
});
afterAll(async () => {
  await server.close();
  mail.server.close();
});

const post = (path: string, body: unknown) =>
  fetch(`${server.urls.http}/api/auth/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

/** The mail of that subject to that address, once it came. */
async function mailed(subject: string, to: string): Promise<string> {
  const found = () => mail.mails.find((one) => one.includes(`Subject: ${subject}`) && one.includes(`To: ${to}`));
  await expect.poll(found).toBeDefined();
  return (found() ?? "").replaceAll("=\n", "").replaceAll("=3D", "=");
}

test("an address is confirmed by the link in its mail, and then what waits for it lets its owner in", async () => {
  const lea = await server.person("lea", { organiser: true });
  await lea.client.spaces.createSpace({ slug: "cs1", title: "CS 1", kind: SpaceKind.COURSE });
  const csv = "name,email,role,group\nBea,bea@example.org,student,T1\n";
  await lea.client.courses.importRoster({ space: "cs1", csv });
  const person = { name: "Bea", email: "bea@example.org", password: "the first of them" };
  const { token } = (await (await post("sign-up/email", person)).json()) as { token: string };
  const bea = server.client(token);
  const spaces = async () => (await bea.spaces.listSpaces({})).spaces.map(({ slug }) => slug);
  expect(await spaces()).toEqual([]);
  const text = await mailed("Your address at Lanista", "bea@example.org");
  const link = new URL(/http\S+confirm\?\S+/.exec(text)?.[0] ?? "");
  // As whatever looks through mails does: it sees a page, and nothing comes of that.
  const opened = await fetch(`${server.urls.http}${link.pathname}${link.search}`);
  expect(opened.status).toBe(200);
  expect(opened.headers.get("content-security-policy")).toMatch(/^default-src 'none'; .*form-action 'self'$/);
  const page = await opened.text();
  expect((await bea.tokens.whoAmI({})).user?.emailConfirmed).toBe(false);
  const [, action, good = ""] = /action="(\w+)"><input type="hidden" name="token" value="([^"]+)"/.exec(page) ?? [];
  const press = (token: string) =>
    fetch(new URL(action!, `${server.urls.http}${link.pathname}`), {
      method: "POST",
      body: new URLSearchParams({ token }),
    });
  const wrong = await press(`${good}x`);
  expect([wrong.status, await wrong.text()]).toEqual([401, expect.stringContaining("good no more")]);
  expect(await spaces()).toEqual([]);
  const right = await press(good);
  expect([right.status, await right.text()]).toEqual([200, expect.stringContaining("is confirmed")]);
  expect(await spaces()).toEqual(["cs1"]);
  expect((await bea.tokens.whoAmI({})).user?.emailConfirmed).toBe(true);
  const { members } = await lea.client.spaces.listMembers({ space: "cs1" });
  expect(members).toContainEqual(expect.objectContaining({ email: "bea@example.org", group: "T1" }));
});

test("programs confirm an address as ever, and what is no token shows as text", async () => {
  const person = { name: "Cem", email: "cem@example.org", password: "the first of them" };
  const { token } = (await (await post("sign-up/email", person)).json()) as { token: string };
  const text = await mailed("Your address at Lanista", "cem@example.org");
  const secret = /confirm\?token=(\S+)/.exec(text)?.[1] ?? "";
  const api = `${server.urls.http}/api/auth/verify-email?token=`;
  expect((await fetch(`${api}${secret}x`)).status).toBe(401);
  expect((await fetch(`${api}${secret}`)).status).toBe(200);
  expect((await server.client(token).tokens.whoAmI({})).user?.emailConfirmed).toBe(true);

  const page = async (token: string) =>
    (await fetch(`${server.urls.http}/confirm?token=${encodeURIComponent(token)}`)).text();
  expect(await page(`"><script>alert(1)</script>`)).toContain("&quot;&gt;&lt;script&gt;");
  expect(await page("")).toContain("good no more");
  expect(await page("x".repeat(3000))).not.toContain("xxx");
  const json = { method: "POST", headers: { "content-type": "application/json" }, body: "{}" };
  expect((await fetch(`${server.urls.http}/confirm`, json)).status).toBe(400);
});

test("a forgotten password is set anew with the token of a mail, once", async () => {
  const person = { name: "Ann", email: "ann@example.org", password: "the first of them" };
  const { token: session } = (await (await post("sign-up/email", person)).json()) as { token: string };
  expect((await server.client(session).tokens.whoAmI({})).user?.name).toBe("Ann");

  const known = await post("request-password-reset", { email: person.email });
  const unknown = await post("request-password-reset", { email: "nobody@example.org" });
  expect([known.status, unknown.status]).toEqual([200, 200]);
  expect(await known.json()).toEqual(await unknown.json());
  const text = await mailed("A new password for Lanista", "ann@example.org");
  const token = /--secret (\S+)/.exec(text)?.[1] ?? "";

  expect((await post("reset-password", { token: `${token}x`, newPassword: "the second of them" })).status).toBe(400);
  expect((await post("reset-password", { token, newPassword: "the second of them" })).status).toBe(200);
  expect((await post("reset-password", { token, newPassword: "the third of them" })).status).toBe(400);
  expect((await post("sign-in/email", person)).status).toBe(401);
  expect((await post("sign-in/email", { ...person, password: "the second of them" })).status).toBe(200);
  const old = await server
    .client(session)
    .tokens.whoAmI({})
    .catch((error: unknown) => fromWire(error).code);
  expect(old).toBe("unauthenticated");

  // Neither token nor password is in the database as it is.
  const stored = JSON.stringify(
    await server.database.pool.query("SELECT * FROM verification").then(({ rows }) => rows),
  );
  expect(stored).not.toContain(token);
  const { rows } = await server.database.pool.query("SELECT password FROM account");
  expect(JSON.stringify(rows)).not.toContain("of them");
});
