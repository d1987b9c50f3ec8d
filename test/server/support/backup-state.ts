/** A server's state to back up: rows of every kind that refer to each other, blobs that rows speak of, and writers. */
import { createHash, randomBytes, randomUUID as uuid } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openFolderStore } from "@lanista/server/store/folder-store";
import type { BlobStore } from "@lanista/server/store/store";
import { type TestDatabase, testDatabase } from "@lanista/server/testing/database";

export interface State {
  readonly database: TestDatabase;
  readonly store: BlobStore;
  readonly folder: string;
  readonly ladder: string;
  close(): Promise<void>;
}

export async function emptyState(): Promise<State> {
  const folder = mkdtempSync(join(tmpdir(), "lanista-backup-"));
  const database = await testDatabase();
  await database.pool.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
  return stateOf(folder, database);
}

async function stateOf(folder: string, database: TestDatabase): Promise<State> {
  const store = await openFolderStore(join(folder, "store"));
  const close = async (): Promise<void> => {
    await database.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { database, store, folder, ladder: uuid(), close };
}

/** With odd text in it: what COPY has to escape. */
export async function fullState(): Promise<State> {
  const folder = mkdtempSync(join(tmpdir(), "lanista-backup-"));
  const state = await stateOf(folder, await testDatabase());
  try {
    await fillState(state);
    return state;
  } catch (error) {
    await state.close();
    throw error;
  }
}

async function fillState(state: State): Promise<void> {
  const { pool } = state.database;
  const space = uuid();
  await pool.query(`INSERT INTO "user" (id, name, email) VALUES ('u1', E'Ünï\\t"code"\\n\\\\N', 'a@example.org')`);
  await pool.query(
    "INSERT INTO account (id, \"accountId\", \"providerId\", \"userId\", password) VALUES ('a1', 'u1', 'credential', 'u1', 'hash')",
  );
  await pool.query("INSERT INTO spaces (id, slug, title) VALUES ($1, 's', '')", [space]);
  await pool.query("INSERT INTO settings (key, value) VALUES ('secret', $1)", [
    JSON.stringify({ deep: [null, "\u0001", 1e300] }),
  ]);
  await pool.query(
    "INSERT INTO tokens (id, name, prefix, secret_hash, scope, user_id, queues, expires_at) VALUES ($1, 't', 'lan_', $2, 'worker', 'u1', $3, 'infinity')",
    [uuid(), randomBytes(32), ["default", "a,b", '{"}']],
  );
  await pool.query("INSERT INTO ladders (id, space_id, slug, title, rules) VALUES ($1, $2, 'l', 'L', '{}')", [
    state.ladder,
    space,
  ]);
  await pool.query(
    "INSERT INTO uploads (id, space_id, user_id, digest, size_bytes, expires_at) VALUES ($1, $2, 'u1', 'x', 10, now())",
    [uuid(), space],
  );
  for (let agent = 0; agent < 20; agent++) await addMatch(state, space);
  await pool.query(
    `INSERT INTO jobs (id, kind, queue, fair_key, class, payload, wait_until, timeout_seconds, state, worker_id, lease_until, attempt_until, attempt, fence)
     VALUES ($1, 'noop', 'default', 'k', '', '{}', now(), 1, 'running', $1, now() + interval '1 hour', now(), 1, 7)`,
    [uuid()],
  );
}

async function blob(store: BlobStore): Promise<string> {
  return (await store.put(randomBytes(2000))).digest;
}

/**
 * What a match of the ladder writes, in one transaction: a bundle, its agent and version, a job whose payload names a
 * blob that no column does, the match with its replay, and the log, which is as long as the ladder says.
 */
export async function addMatch({ database, store, ladder }: State, space?: string): Promise<void> {
  const [bundle, named, replay] = [await blob(store), await blob(store), await blob(store)];
  const client = await database.pool.connect();
  try {
    await client.query("BEGIN");
    const found = await client.query<{ length: number; space: string }>(
      "UPDATE ladders SET log_length = log_length + 1 WHERE id = $1 RETURNING log_length AS length, space_id AS space",
      [ladder],
    );
    const row = found.rows[0];
    if (row === undefined) throw new Error("no ladder");
    const [agent, version, job, match] = [uuid(), uuid(), uuid(), uuid()];
    await client.query("INSERT INTO bundles (digest, size_bytes) VALUES ($1, 2000)", [bundle]);
    await client.query(
      "INSERT INTO agents (id, space_id, owner_id, name) VALUES ($1::uuid, $2, 'u1', 'agent-' || $1::uuid)",
      [agent, space ?? row.space],
    );
    await client.query(
      "INSERT INTO agent_versions (id, agent_id, number, digest, size_bytes) VALUES ($1, $2, 1, $3, 2000)",
      [version, agent, bundle],
    );
    await client.query(
      "INSERT INTO ladder_agents (ladder_id, agent_id, version_id, mu, sigma, urgency) VALUES ($1, $2, $3, 25.1, 0.1::float8 + 0.2::float8, 1)",
      [ladder, agent, version],
    );
    await client.query(
      `INSERT INTO jobs (id, kind, queue, space_id, owner_id, fair_key, class, payload, wait_until, timeout_seconds)
       VALUES ($1, 'match', 'default', $2, 'u1', 'u1', '', $3, now(), 60)`,
      [job, row.space, JSON.stringify({ seats: [{ name: "x".repeat(3000), bundle: named }] })],
    );
    await client.query(
      "INSERT INTO matches (id, job_id, space_id, ladder_id, reason, env, seed, replay_blob) VALUES ($1, $2, $3, $4, 'ladder', 'hex', 18446744073709551615, $5)",
      [match, job, row.space, ladder, replay],
    );
    await client.query(
      "INSERT INTO match_log (ladder_id, number, match_id, kind, seats) VALUES ($1, $2, $3, 'ladder', '[]')",
      [ladder, row.length, match],
    );
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  } finally {
    client.release();
  }
}

/** Every table's rows as text, in an order of their own; what a restore changes on purpose is left out. */
export async function contents({ database }: State): Promise<Record<string, string[]>> {
  const { rows: tables } = await database.pool.query<{ name: string }>(
    "SELECT format('%I', tablename) AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'uploads'",
  );
  const found: Record<string, string[]> = {};
  for (const { name } of tables) {
    const row = name === "jobs" ? "to_jsonb(t) - '{fence,lease_until,wait_until,max_attempts}'::text[]" : "to_jsonb(t)";
    const { rows } = await database.pool.query<{ text: string }>(
      `SELECT (${row})::text AS text FROM ${name} t ORDER BY 1`,
    );
    found[name] = rows.map(({ text }) => text);
  }
  return found;
}

export async function blobs({ store }: State): Promise<string[]> {
  const found: string[] = [];
  for await (const digest of store.list()) {
    const bytes = await store.get(digest);
    if (createHash("sha256").update(bytes).digest("hex") !== digest) throw new Error(`${digest} is another`);
    found.push(digest);
  }
  return found.sort();
}
