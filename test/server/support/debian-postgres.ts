/** An outside PostgreSQL: the host's own, of another version than ours, whose user may not do more than he must. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openDatabase } from "@lanista/server/db/database";
import { postgresUser } from "@lanista/server/db/postgres-program";

const VERSIONS = "/usr/lib/postgresql";

/** The folder of its programs; undefined where there is none. */
export function hostPostgres(): string | undefined {
  if (!existsSync(VERSIONS)) return undefined;
  return readdirSync(VERSIONS)
    .map((version) => join(VERSIONS, version, "bin"))
    .find((folder) => existsSync(join(folder, "postgres")));
}

export interface OutsidePostgres {
  readonly version: string;
  /** A new empty database that belongs to a user who is no superuser; gives its URL. */
  database(): Promise<string>;
  close(): Promise<void>;
}

export async function startHostPostgres(bin: string): Promise<OutsidePostgres> {
  const folder = mkdtempSync(join(tmpdir(), "lanista-outside-"));
  chmodSync(folder, 0o755);
  const home = join(folder, "home");
  mkdirSync(home, { mode: 0o700 });
  const user = postgresUser(home);
  if (user !== undefined) chownSync(home, user.uid, user.gid);
  const as = user === undefined ? {} : { uid: user.uid, gid: user.gid };
  const data = join(home, "data");
  execFileSync(join(bin, "initdb"), [`--pgdata=${data}`, "--username=root", "--auth=trust", "--no-sync"], {
    ...as,
    cwd: "/",
    stdio: "ignore",
  });
  const child = spawn(
    join(bin, "postgres"),
    [`-D${data}`, "-clisten_addresses=", `-cunix_socket_directories=${home}`],
    {
      ...as,
      cwd: "/",
      stdio: "ignore",
    },
  );
  const url = (database: string, role: string) =>
    `postgres:///${database}?host=${encodeURIComponent(home)}&user=${role}`;
  const ask = async (sql: string) => {
    const { pool, close } = openDatabase({ url: url("postgres", "root"), size: 1 });
    return pool.query<{ server_version: string }>(sql).finally(close);
  };
  let made = 0;
  const close = async (): Promise<void> => {
    child.kill("SIGINT");
    if (child.exitCode === null) await once(child, "exit");
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const until = performance.now() + 20_000;
    while (
      !(await ask("CREATE ROLE lanista LOGIN").then(
        () => true,
        () => false,
      ))
    ) {
      if (performance.now() > until) throw new Error("the host's PostgreSQL takes no connections");
      await sleep(50);
    }
    const { rows } = await ask("SHOW server_version");
    return {
      version: rows[0]?.server_version ?? "",
      async database() {
        const name = `outside_${++made}`;
        await ask(`CREATE DATABASE ${name} OWNER lanista`);
        return url(name, "lanista");
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
