/** `lanista serve` with its database and its embedded worker, each a process of its own, and a way to queue jobs there. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { App } from "@lanista/server/app";
import { loadConfig } from "@lanista/server/config/config";
import { openDatabase } from "@lanista/server/db/database";
import { runningEmbedded } from "@lanista/server/db/embedded";
import { openEvents } from "@lanista/server/events-postgres";
import { jobKinds } from "@lanista/server/kinds";
import { createMetrics } from "@lanista/server/ops/metrics";
import { openStore } from "@lanista/server/store/open";
import { pino } from "pino";

export interface JobsServer {
  /** What enqueue() wants, on the server's own database. */
  readonly app: App;
  readonly url: string;
  /** Of the server's process. */
  residentBytes(): number;
  stop(): Promise<void>;
}

export async function startJobsServer(folder: string, slots: number): Promise<JobsServer> {
  const dataDir = join(folder, "data");
  const words = ["--data-dir", dataDir, "--http-port", "0", "--grpc-enabled", "false", "--metrics-enabled", "false"];
  const more = ["--worker-concurrency", String(slots), "--log-level", "error"];
  const main = join(import.meta.dirname, "../../packages/cli/src/main.ts");
  const server = spawn(process.execPath, ["--conditions=lanista-source", main, "serve", "--json", ...words, ...more], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const gone = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  await ready(server);
  const url = await runningEmbedded(dataDir);
  if (url === undefined) throw new Error("the server has no database");
  const stopping = new AbortController();
  const log = pino({ level: "error" }, process.stderr);
  const database = openDatabase({ url, size: 4 });
  const events = await openEvents({ url, log, stopping: stopping.signal });
  const app: App = {
    config: loadConfig({ cwd: folder }).config,
    database,
    db: database.db,
    events,
    store: await openStore("", folder),
    log,
    metrics: createMetrics(),
    kinds: jobKinds(),
    stopping: stopping.signal,
  };
  while ((await database.db.selectFrom("workers").select("id").execute()).length === 0) await sleep(100);
  return {
    app,
    url,
    residentBytes: () =>
      1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${server.pid}/status`, "utf8"))?.[1] ?? Number.NaN),
    async stop() {
      // Twice is once.
      if (stopping.signal.aborted) return;
      stopping.abort();
      await events.close();
      await database.close();
      server.kill("SIGTERM");
      await gone;
    },
  };
}

async function ready(server: ChildProcess): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.stdout?.once("data", () => resolve());
    server.once("exit", (code) => reject(new Error(`the server ended with ${code} before it was ready`)));
  });
}
