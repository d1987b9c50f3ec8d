import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { testDatabase } from "../testing/database.ts";

/** better-auth's own, and the migrations' record: nobody asks for them by way of Kysely. */
const UNTYPED = ["account", "migrations", "verification"];

/** The tables of types.ts with their columns, read from its text: types leave nothing to look at. */
function typedTables(): Record<string, string[]> {
  const text = readFileSync(new URL("./types.ts", import.meta.url), "utf8");
  const fields = (name: string): string[] => {
    const body = new RegExp(`^export interface ${name} \\{\\n(.*?)^\\}`, "ms").exec(text)?.[1] ?? "";
    return [...body.matchAll(/^ {2}(\w+)\??: /gm)].map((match) => match[1] ?? "");
  };
  const body = /^export interface Tables \{\n(.*?)^\}/ms.exec(text)?.[1] ?? "";
  const tables = [...body.matchAll(/^ {2}(\w+): (\w+);/gm)];
  return Object.fromEntries(tables.map(([, table = "", type = ""]) => [table, fields(type).sort()]));
}

test("the types name the tables and columns that the migrations make, and no others", async () => {
  const database = await testDatabase();
  try {
    const { rows } = await database.pool.query<{ name: string; columns: string[] }>(
      `SELECT table_name AS name, array_agg(column_name::text) AS columns
       FROM information_schema.columns WHERE table_schema = 'public' GROUP BY table_name`,
    );
    const made = Object.fromEntries(
      rows.filter(({ name }) => !UNTYPED.includes(name)).map(({ name, columns }) => [name, columns.sort()]),
    );
    expect(typedTables()).toEqual(made);
    expect(Object.keys(made).length).toBeGreaterThan(20);
  } finally {
    await database.close();
  }
});
