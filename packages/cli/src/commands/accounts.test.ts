/** login, logout, whoami, password, token and admin, against a real server. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Ran } from "../testing.ts";
import { type ServedCommands, servedCommands } from "../testing-server.ts";

const PASSWORD = "a long enough one";
let at: ServedCommands;
let root = "";

beforeAll(async () => {
  at = await servedCommands({ flags: { signup: "open" } });
  // As the first of all: it wants a server that has no administrator.
  const { initSecret } = at.server;
  const argv = ["admin", "init", "--secret", initSecret!, "--name", "Root", "--email", "root@example.org"];
  const made = await at.under({ stdin: `${PASSWORD}\n` }, ...argv, "--password-stdin", "--json");
  expect(made.code, made.stderr).toBe(0);
  root = JSON.parse(made.stdout).token;
}, 60_000);
afterAll(() => at.close());

const login = (email: string, ...more: readonly string[]): Promise<Ran> =>
  at.under({ stdin: `${PASSWORD}\n` }, "login", "--email", email, "--password-stdin", ...more);

async function sessions(): Promise<number> {
  const { rows } = await at.server.database.pool.query("SELECT 1 FROM session");
  return rows.length;
}

test("admin init keeps a token, leaves no session open, and works once", async () => {
  expect(await sessions()).toBe(0);
  expect(await at.as(null, "whoami")).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^Root <root@example.org>: .*administrator/),
  });
  const again = await at.under(
    { stdin: `${PASSWORD}\n` },
    ..."admin init --secret init_x --name R --email r@example.org --password-stdin".split(" "),
  );
  expect(again).toMatchObject({ code: 2, stdout: "" });
  expect(again.stderr).toContain("this is not the one-time token, or it was used");
});

test("login signs up, keeps a token that only its owner can read, and leaves no session open", async () => {
  const made = await login("ada@example.org", "--sign-up", "--name", "Ada");
  expect(made).toMatchObject({ code: 0, stderr: "" });
  const file = join(at.folder, "lanista", "credentials.json");
  expect(made.stdout).toBe(`Logged in at ${at.server.urls.http} as ada@example.org. The token is in ${file}.\n`);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(await sessions()).toBe(0);
  expect((await at.as(null, "whoami")).stdout).toBe("Ada <ada@example.org>: participant\n");
  expect(await at.json(null, "whoami")).toMatchObject({ user: { name: "Ada" }, scopes: ["SCOPE_PARTICIPANT"] });

  const { token } = JSON.parse(readFileSync(file, "utf8"));
  const out = await at.as(null, "logout");
  expect(out).toMatchObject({ code: 0, stdout: `Logged out of ${at.server.urls.http}.\n`, stderr: "" });
  expect((await at.as(token, "whoami")).code).toBe(2);
  expect((await at.as(null, "whoami")).stderr).toContain("run lanista login");
  expect((await at.as(null, "logout")).stderr).toContain("nobody is logged in");
});

test("login refuses a wrong password, and an address where no server is", async () => {
  const wrong = await at.under(
    { stdin: "not the one\n" },
    ..."login --email ada@example.org --password-stdin --json".split(" "),
  );
  expect(wrong.code).toBe(2);
  expect(JSON.parse(wrong.stdout).error.message).toContain("refused the sign-in");
  const nowhere = await login("ada@example.org", "--server", "http://127.0.0.1:1");
  expect(nowhere).toMatchObject({ code: 2, stdout: "" });
  expect(nowhere.stderr).toContain("does not answer");
  const silent = await at.under({}, "login", "--email", "ada@example.org");
  expect(silent.stderr).toContain("there is no terminal to ask at: give --password-stdin");
});

test("a wrong token is said to be one", async () => {
  const ran = await at.as("lanista_nonsense", "whoami");
  expect(ran).toMatchObject({ code: 2, stdout: "" });
  expect(ran.stderr).toMatch(/token/);
});

test("tokens are made, listed and revoked", async () => {
  const made = await at.as(root, "token", "create", "lab-1", "--scope", "worker", "--queue", "default");
  expect(made).toMatchObject({ code: 0, stderr: "", stdout: expect.stringMatching(/^lanista_\S+\n$/) });
  const listed = await at.as(root, "token", "list");
  expect(listed.stdout).toMatch(/^name +begins +scope +until +used +id\n/);
  expect(listed.stdout).toMatch(/^lab-1 +lanista_\S* +worker +\d{4}-.* never +\S+$/m);
  const { tokens } = (await at.json(root, "token", "list")) as { tokens: { id: string; name: string }[] };
  const { id } = tokens.find(({ name }) => name === "lab-1")!;
  expect(await at.as(root, "token", "revoke", id)).toMatchObject({ code: 0, stdout: "Revoked.\n" });
  expect((await at.as(root, "token", "list")).stdout).toMatch(/^lab-1 .* revoked +/m);
  const person = await at.server.person("Tess", { scope: "participant" });
  const refused = await at.as(person.token, "token", "create", "mine", "--scope", "administrator");
  expect(refused).toMatchObject({ code: 2, stdout: "" });
  expect(refused.stderr).toContain("you have no rights of scope administrator to give away");
  expect((await at.as(person.token, "token", "revoke", id)).stderr).toContain("the token");
});

test("every text that makes a token gives what token create takes", async () => {
  const { stdout } = await at.as(null, "worker", "--help");
  const [, line = ""] = /\$ lanista (token create .*)/.exec(stdout) ?? [];
  expect((await at.as(root, ...line.split(" "))).stdout).toMatch(/^lanista_/);
  const untold = await at.as(null, "worker");
  expect(untold.stderr).toContain("lanista token create NAME --scope worker");
});

test("administrators list accounts, change what they may do, and read what was done", async () => {
  const ben = await at.server.person("Ben", { scope: "participant" });
  expect((await at.as(root, "admin", "users", "ben@")).stdout).toMatch(/^test-Ben +Ben +ben@example.org +– /m);
  const changed = await at.as(root, "admin", "user", ben.id, "--organiser", "yes");
  expect(changed.stdout).toContain("found spaces");
  expect(await at.json(root, "admin", "user", ben.id, "--locked", "yes")).toMatchObject({
    user: { locked: true, organiser: true },
  });
  expect((await at.as(ben.token, "whoami")).code).toBe(2);
  expect((await at.as(root, "admin", "user", ben.id, "--locked", "maybe")).stderr).toContain("yes or no");
  expect((await at.as(root, "admin", "user", "nobody", "--locked", "yes")).stderr).toContain("user");
  expect((await at.as(root, "admin", "audit")).stdout).toMatch(/TokenService\/UpdateUser +test-Ben$/m);
  const tess = await at.server.person("Tom", { scope: "participant" });
  expect(await at.as(tess.token, "admin", "users")).toMatchObject({ code: 2, stdout: "" });
});

test("a forgotten password is set with an administrator's one-time token; without mail there is no other", async () => {
  await login("eve@example.org", "--sign-up", "--name", "Eve");
  const asked = await at.under({}, "password", "--forgotten", "--email", "eve@example.org");
  expect(asked).toMatchObject({ code: 2, stdout: "" });
  expect(asked.stderr).toContain("this server sends no mail. Ask an administrator");

  const { stdout } = await at.as(root, "admin", "reset", "eve@example.org");
  const [, argv = ""] = /lanista (password --server \S+ --secret \S+)$/m.exec(stdout) ?? [];
  const set = await at.under({ stdin: "another long one\n" }, ...argv.split(" "), "--password-stdin");
  expect(set).toMatchObject({ code: 0, stderr: "" });
  const twice = await at.under({ stdin: "another long one\n" }, ...argv.split(" "), "--password-stdin", "--json");
  expect(twice.code).toBe(2);
  expect(JSON.parse(twice.stdout).error.message).toContain("refused the new password");
  expect((await login("eve@example.org")).code).toBe(2);
  expect((await at.as(root, "admin", "reset", "nobody@example.org")).stderr).toContain("user");
});

test("where mail is sent, password --forgotten asks for it", async () => {
  // Whether the mail arrives is not told to who asks: a server that nobody answers at is enough.
  const other = await servedCommands({ flags: { "smtp.url": "smtp://127.0.0.1:1", signup: "open" } });
  try {
    const asked = await other.under({}, "password", "--forgotten", "--email", "eve@example.org");
    expect(asked).toMatchObject({ code: 0, stderr: "", stdout: expect.stringContaining("is on its way") });
    const both = await other.under({}, "password", "--forgotten", "--secret", "x");
    expect(both).toMatchObject({ code: 2, stdout: "" });
  } finally {
    await other.close();
  }
});
