import { LanistaError } from "@lanista/api/errors";
import pg from "pg";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type TestDatabase, testDatabase } from "../testing/database.ts";
import { type Migration, migrate, ownMigrations, schemaVersion } from "./migrate.ts";

let database: TestDatabase;
beforeEach(async () => {
  database = await testDatabase();
  await database.pool.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
});
afterEach(() => database.close());

const made = (name: string, sql: string, checksum = name): Migration => ({ name, sql, checksum });
const one = made("0001_one", "CREATE TABLE one (n int)");
const two = made("0002_two", "CREATE TABLE two (n int); INSERT INTO two VALUES (2)");

async function tables(): Promise<string[]> {
  const { rows } = await database.pool.query<{ name: string }>(
    "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
  );
  return rows.map(({ name }) => name);
}

async function refusal(migrations: readonly Migration[]): Promise<string> {
  const error = await migrate(database.pool, migrations).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(LanistaError);
  expect(error).toMatchObject({ code: "conflict" });
  return (error as LanistaError).message;
}

test("this version's migrations make its tables, once", async () => {
  const names = ownMigrations().map((migration) => migration.name);
  expect(await migrate(database.pool)).toEqual(names);
  expect(await tables()).toContain("jobs");
  expect(await migrate(database.pool)).toEqual([]);
  expect(names.at(-1)).toBe(schemaVersion());
});

test("only what is missing is applied", async () => {
  expect(await migrate(database.pool, [one])).toEqual(["0001_one"]);
  expect(await migrate(database.pool, [one, two])).toEqual(["0002_two"]);
  expect(await tables()).toEqual(["migrations", "one", "two"]);
});

test("of two servers that start at once each migration is applied by one", async () => {
  const pools = Array.from({ length: 4 }, () => new pg.Pool({ connectionString: database.url, max: 1 }));
  const applied = await Promise.all(pools.map((pool) => migrate(pool, [one, two])));
  expect(applied.flat().sort()).toEqual(["0001_one", "0002_two"]);
  await Promise.all(pools.map((pool) => pool.end()));
});

test("a database of a newer version is refused, and left as it is", async () => {
  await migrate(database.pool, [one, two]);
  expect(await refusal([one])).toMatch(/0002_two, which this version \(up to 0001_one\) does not know/);
  expect(await tables()).toEqual(["migrations", "one", "two"]);
});

test("a database of another past is refused", async () => {
  await migrate(database.pool, [one]);
  expect(await refusal([made("0001_one", "", "another")])).toMatch(/0001_one .* another wording/);
  await migrate(database.pool, [one, two]);
  const between = made("0001_one_and_a_half", "SELECT 1");
  expect(await refusal([one, between, two])).toMatch(/0002_two where this version has 0001_one_and_a_half/);
});

test("a migration that fails leaves nothing of itself, and those before it", async () => {
  const bad = made("0002_bad", "CREATE TABLE bad (n int); SELECT 1 / 0");
  await expect(migrate(database.pool, [one, bad])).rejects.toThrow(/division by zero/);
  expect(await tables()).toEqual(["migrations", "one"]);
  expect(await migrate(database.pool, [one, two])).toEqual(["0002_two"]);
});
