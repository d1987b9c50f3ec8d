import { Code, ConnectError } from "@connectrpc/connect";
import { fromWire, LanistaError } from "@lanista/api/errors";
import { sql } from "kysely";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestDatabase, testDatabase } from "../testing/database.ts";
import { toWire } from "./errors.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(() => database.close());

const failure = async (query: string): Promise<unknown> =>
  await sql
    .raw(query)
    .execute(database.db)
    .then(
      () => new Error("it did not fail"),
      (error: unknown) => error,
    );

test("what we refuse goes with code, hint, field and the request's id", () => {
  const { error, ours } = toWire(new LanistaError("quota_exceeded", "too much", { hint: "less", field: "x.y" }), "r-1");
  expect(ours).toBe(false);
  expect(error.code).toBe(Code.ResourceExhausted);
  expect(fromWire(error)).toMatchObject({ code: "quota_exceeded", message: "too much", hint: "less", field: "x.y" });
});

test("what the protocol's library refused gets a detail with the id", () => {
  const { error, ours } = toWire(new ConnectError("no", Code.InvalidArgument), "r-2");
  expect(ours).toBe(false);
  expect(error.details).toMatchObject([{ value: { code: "invalid", requestId: "r-2" } }]);
});

test("a message that the protocol's library finds too large is too_large", () => {
  const { error, ours } = toWire(new ConnectError("message size 9 is larger", Code.ResourceExhausted), "r-2");
  expect(ours).toBe(false);
  expect(error.code).toBe(Code.OutOfRange);
  expect(fromWire(error).code).toBe("too_large");
  expect(fromWire(new ConnectError("message size 9 is larger", Code.ResourceExhausted)).code).toBe("too_large");
});

test("anything else is ours, and its text stays here", () => {
  const { error, ours } = toWire(new TypeError("the password is hunter2"), "r-3");
  expect(ours).toBe(true);
  expect(error.code).toBe(Code.Internal);
  const seen = fromWire(error);
  expect(`${error.message} ${seen.message} ${seen.hint}`).not.toContain("hunter2");
});

test.each([
  ["a NUL in a text", "SELECT convert_from('\\x00', 'UTF8')", "invalid", false],
  ["a number out of range", "SELECT 99999999999::int", "invalid", false],
  ["no UUID", "SELECT 'x'::uuid", "invalid", false],
  ["a serialization failure", "DO $$ BEGIN RAISE SQLSTATE '40001'; END $$", "aborted", false],
  ["a deadlock", "DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$", "aborted", false],
  ["a server that shuts down", "SELECT pg_terminate_backend(pg_backend_pid())", "unavailable", false],
  ["too many connections", "DO $$ BEGIN RAISE SQLSTATE '53300'; END $$", "unavailable", false],
  ["a table that is not there", "SELECT * FROM no_such_table", "internal", true],
  ["a broken invariant", "INSERT INTO queues (name, space_id) VALUES ('x', gen_random_uuid())", "internal", true],
])("of the database: %s", async (_name, query, code, ours) => {
  const wire = toWire(await failure(query), "r-4");
  expect({ code: fromWire(wire.error).code, ours: wire.ours }).toEqual({ code, ours });
});

test("a database that cannot be reached is unavailable", async () => {
  const { openDatabase } = await import("../db/database.ts");
  for (const url of ["postgres://localhost:1/none", "postgres:///none?host=/nonexistent"]) {
    const gone = openDatabase({ url });
    const error = await gone.pool.query("SELECT 1").then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(fromWire(toWire(error, "").error).code, url).toBe("unavailable");
    await gone.close();
  }
});
