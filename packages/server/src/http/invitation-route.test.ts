import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestServer, testServer } from "../testing/server.ts";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
}, 60_000);
afterAll(() => server.close());

async function invitation(from: TestServer, name: string): Promise<{ code: string; url: string }> {
  const { client } = await from.person(name, { organiser: true });
  await client.spaces.createSpace({ slug: "winter", title: "Winter" });
  return await client.spaces.createInvitation({ space: "winter", role: 1, validSeconds: 3600n, uses: 2 });
}

test("an invitation's link leads to a page that says what to do with the code, and runs nothing", async () => {
  const { code, url } = await invitation(server, "olga");
  expect(url).toBe(`${server.urls.http}/invitation#${code}`);
  const answer = await fetch(url);
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toBe("text/html; charset=utf-8");
  const page = await answer.text();
  expect(page).toContain(`lanista login --server ${server.urls.http} --sign-up --invitation CODE`);
  expect(page).toContain("lanista space join CODE");
  expect(page).not.toContain(code);
  expect(answer.headers.get("content-security-policy")).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'; frame/);
  expect(answer.headers.get("x-frame-options")).toBe("DENY");
  expect(answer.headers.get("cache-control")).toBe("no-store");
  expect((await fetch(url, { method: "POST" })).status).toBe(400);
});

test("with a public URL the link and the page name that one", async () => {
  const other = await testServer({ flags: { publicUrl: "https://lanista.example.org/<a>/" } });
  try {
    const { code, url } = await invitation(other, "oskar");
    expect(url).toBe(`https://lanista.example.org/<a>/invitation#${code}`);
    const page = await (await fetch(`${other.urls.http}/invitation`)).text();
    expect(page).toContain("--server https://lanista.example.org/&lt;a&gt; --sign-up");
  } finally {
    await other.close();
  }
});
