/** The tables of a database as a backup sees them: their columns, and an order in which each comes after what it refers to. */

import { LanistaError } from "@lanista/api/errors";
import type pg from "pg";
import type { Header } from "./format.ts";

type Queries = Pick<pg.ClientBase, "query">;
type Table = Header["tables"][number];

/** So that what COPY writes is read as the same again, whatever the database's defaults. */
export const COPY_SETTINGS = `
  SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL IntervalStyle = 'postgres';
  SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1; SET LOCAL client_encoding = 'UTF8';
  SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL search_path = public`;

/** Without columns that the database computes. */
export async function tablesOf(client: Queries): Promise<readonly Table[]> {
  const { rows: tables } = await client.query<{ name: string; columns: string[] }>(
    `SELECT c.relname::text AS name, array_agg(a.attname::text ORDER BY a.attnum) AS columns
     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
       AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
     GROUP BY c.relname ORDER BY c.relname`,
  );
  const { rows: references } = await client.query<{ from: string; to: string }>(
    `SELECT r.relname::text AS from, t.relname::text AS to
     FROM pg_constraint f JOIN pg_class r ON r.oid = f.conrelid JOIN pg_class t ON t.oid = f.confrelid
     WHERE f.contype = 'f' AND f.connamespace = 'public'::regnamespace AND f.conrelid <> f.confrelid`,
  );
  const { rows: sequences } = await client.query("SELECT 1 FROM pg_sequences WHERE schemaname = 'public' LIMIT 1");
  // A sequence's state is in no snapshot: our ids are drawn by the server.
  if (sequences.length > 0) throw new LanistaError("internal", "backups do not know sequences, and there is one");
  return inOrder(tables, references);
}

function inOrder(tables: readonly Table[], references: readonly { from: string; to: string }[]): readonly Table[] {
  const left = new Map(tables.map((table) => [table.name, table]));
  const ordered: Table[] = [];
  while (left.size > 0) {
    const free = [...left.values()].filter(
      ({ name }) => !references.some(({ from, to }) => from === name && left.has(to)),
    );
    if (free.length === 0)
      throw new LanistaError("internal", `tables refer to each other: ${[...left.keys()].join(", ")}`);
    for (const table of free) {
      left.delete(table.name);
      ordered.push(table);
    }
  }
  return ordered;
}
