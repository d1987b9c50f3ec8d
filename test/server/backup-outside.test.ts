import { join } from "node:path";
import { writeBackup } from "@lanista/server/backup/backup";
import { restoreBackup } from "@lanista/server/backup/restore";
import { openDatabase } from "@lanista/server/db/database";
import { migrate, schemaVersion } from "@lanista/server/db/migrate";
import { afterAll, expect, test } from "vitest";
import { contents, fullState } from "./support/backup-state.ts";
import { hostPostgres, startHostPostgres } from "./support/debian-postgres.ts";

const bin = hostPostgres();
const releases: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const release of releases.reverse()) await release();
});

test.skipIf(bin === undefined)(
  "an outside PostgreSQL of another version holds the same, by a user who owns one database",
  async () => {
    const outside = await startHostPostgres(bin ?? "");
    releases.push(() => outside.close());
    const fresh = openDatabase({ url: await outside.database() });
    releases.push(() => fresh.close());
    expect((await migrate(fresh.pool)).at(-1)).toBe(schemaVersion());

    const state = await fullState();
    releases.push(() => state.close());
    const file = join(state.folder, "one.tar.gz");
    await writeBackup({ url: state.database.url, store: state.store, file });
    const url = await outside.database();
    await restoreBackup({ url, store: state.store, file });
    const restored = openDatabase({ url });
    releases.push(() => restored.close());
    expect(await contents({ ...state, database: { ...restored, url } })).toEqual(await contents(state));

    const back = join(state.folder, "two.tar.gz");
    expect(await writeBackup({ url, store: state.store, file: back })).toMatchObject({ blobs: 60, missing: [] });
  },
);
