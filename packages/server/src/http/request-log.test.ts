/** Requests that are no RPCs are in the log, without what would open anything. */
import { expect, test } from "vitest";
import { logLines } from "../testing/log-lines.ts";
import { testServer } from "../testing/server.ts";

test("plain requests, and who signs in, in vain or not", async () => {
  const { log, lines } = logLines();
  const server = await testServer({ log, flags: { signup: "open" } });
  const post = (path: string, body: object) =>
    fetch(`${server.urls.http}/api/auth/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  const person = { name: "Ann", email: "ann@example.org", password: "long enough it is" };
  try {
    const made = (await (await post("sign-up/email", person)).json()) as { user: { id: string }; token: string };
    await post("sign-in/email", person);
    await post("sign-in/email", { ...person, password: "something else" });
    const id = crypto.randomUUID();
    const replay = await fetch(`${server.urls.http}/executor/replays/${id}.json`);
    const accounts = lines.filter(({ msg }) => msg === "account");
    expect(accounts).toMatchObject([
      { level: 30, action: "api/auth/sign-up/email", status: 200, userId: made.user.id, address: "127.0.0.1" },
      { level: 30, action: "api/auth/sign-in/email", status: 200, userId: made.user.id },
      { level: 30, action: "api/auth/sign-in/email", status: 401 },
    ]);
    const asked = { level: 20, method: "GET", route: "/executor/replays/", status: 404, address: "127.0.0.1" };
    await expect
      .poll(() => lines.filter(({ msg }) => msg === "request"))
      .toContainEqual(expect.objectContaining({ ...asked, requestId: replay.headers.get("x-request-id") }));
    const all = JSON.stringify(lines);
    for (const secret of [person.password, made.token, id]) expect(all).not.toContain(secret);
  } finally {
    await server.close();
  }
}, 60_000);
