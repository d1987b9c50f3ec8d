/** PostgreSQL as a child process: started, waited for, ended. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { LanistaError } from "@lanista/api/errors";
import { postmaster } from "./postgres-folder.ts";

/** What a pino logger does, too. */
export interface DatabaseLog {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
}

/** Reading the log again after a crash takes as long as it takes; beyond this something is wrong. */
const START_MS = 300_000;
const STOP_MS = 30_000;

export function launch(command: readonly string[], log: DatabaseLog): ChildProcess {
  const [file = "", ...args] = command;
  // A session of its own: the terminal's Ctrl-C is for the server, which drains first.
  const child = spawn(file, args, {
    cwd: "/",
    detached: true,
    stdio: ["ignore", "ignore", "pipe"],
    env: { PATH: process.env.PATH, LC_ALL: "C", TZ: "UTC" },
  });
  child.on("error", (error) => log.warn(`PostgreSQL could not be started: ${error.message}`));
  createInterface({ input: child.stderr }).on("line", (line) =>
    /^(FATAL|PANIC|WARNING)/.test(line) ? log.warn(`PostgreSQL: ${line}`) : log.debug(`PostgreSQL: ${line}`),
  );
  return child;
}

/** Waits until it takes connections; throws LanistaError, the process gone, if it does not. */
export async function ready(child: ChildProcess, home: string): Promise<void> {
  const until = performance.now() + START_MS;
  while (performance.now() < until) {
    if (hasEnded(child))
      throw new LanistaError("unavailable", `PostgreSQL did not start (${endText(child)}): see the log above`);
    const found = postmaster(home);
    if (found?.pid === child.pid && found?.ready) return;
    await sleep(10);
  }
  await stopChild(child);
  throw new LanistaError("unavailable", `PostgreSQL did not take connections within ${START_MS / 1000} s`);
}

/** SIGINT ends connections and writes all down; SIGQUIT leaves that to the next start. */
export async function stopChild(child: ChildProcess): Promise<void> {
  for (const signal of ["SIGINT", "SIGQUIT", "SIGKILL"] as const) {
    if (hasEnded(child)) return;
    child.kill(signal);
    const patience = new AbortController();
    await Promise.race([ended(child), sleep(STOP_MS, undefined, { signal: patience.signal }).catch(() => {})]);
    patience.abort();
  }
}

const hasEnded = (child: ChildProcess): boolean =>
  child.pid === undefined || child.exitCode !== null || child.signalCode !== null;

export const endText = (child: ChildProcess): string => child.signalCode ?? `exit ${child.exitCode ?? "unknown"}`;

export function ended(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return Promise.resolve();
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
}
