/** The worker beside a server, as a program of its own: what of the server's it gets to see. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { enqueue } from "@lanista/server/jobs/enqueue";
import { inTransaction } from "@lanista/server/jobs/transaction";
import { type TestServer, testServer } from "@lanista/server/testing/server";
import { afterAll, beforeAll, expect, test } from "vitest";

const SECRETS = {
  DATABASE_URL: "postgres://lanista:secret-1@nowhere/lanista",
  LANISTA_DATABASE_URL: "postgres://lanista:secret-2@nowhere/lanista",
  LANISTA_STORE_URL: "s3://bucket?secretAccessKey=secret-3",
  LANISTA_SMTP_URL: "smtp://lanista:secret-4@nowhere",
  AWS_ACCESS_KEY_ID: "secret-5",
  AWS_SECRET_ACCESS_KEY: "secret-6",
  AWS_SESSION_TOKEN: "secret-7",
  PGPASSWORD: "secret-8",
  PGPASSFILE: "/secret-9",
  LANISTA_DB_PASSWORD: "secret-10",
  LANISTA_WORKER_TOKEN: "secret-11",
  SOMEBODYS_API_KEY: "secret-12",
};

let server: TestServer;
beforeAll(async () => {
  Object.assign(process.env, SECRETS);
  const main = join(import.meta.dirname, "../../packages/cli/src/main.ts");
  server = await testServer({
    flags: { "worker.embedded": "true", shutdownSeconds: "1" },
    command: [process.execPath, "--conditions=lanista-source", main],
  });
}, 60_000);
afterAll(async () => {
  await server.close();
  for (const name of Object.keys(SECRETS)) delete process.env[name];
});

const environment = (): string[] => readFileSync(`/proc/${server.workerPid()}/environ`, "utf8").split("\0");

test("it runs jobs, with none of the server's secrets in its environment", async () => {
  const { app } = server;
  const job = await inTransaction(app, (tx) =>
    enqueue(app, tx, { kind: "noop", fairKey: "x", payload: { seconds: 0, end: "completed" }, timeoutSeconds: 60 }),
  );
  const state = async () =>
    (await app.db.selectFrom("jobs").select("state").where("id", "=", job.id).executeTakeFirst())?.state;
  await expect.poll(state, { timeout: 60_000 }).toBe("ended");
  expect(environment().filter((line) => line.includes("secret"))).toEqual([]);
  const names = environment().map((line) => line.split("=")[0]);
  for (const name of Object.keys(SECRETS)) expect(names).not.toContain(name);
  expect(names).toEqual(expect.arrayContaining(["PATH", "LANISTA_TOKEN"]));
}, 90_000);
