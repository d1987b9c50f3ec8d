/**
 * A worker's line: it is told at once when there may be something to lease, what it has lost, and whether to drain. All of it
 * can be lost with the line: a worker also asks by itself, and every heartbeat names what it lost.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { LanistaError } from "@lanista/api/errors";
import type { AttendResponseSchema } from "@lanista/api/gen/lanista/v1/workers_pb";
import { sql } from "kysely";
import type { App } from "../app.ts";
import { lostLately } from "./heartbeat.ts";
import { floorsOf, type WorkerRow } from "./workers.ts";

export type Line = MessageInitShape<typeof AttendResponseSchema>;

/** Seconds between two lines at most, and after how many a worker takes the line for dead. */
const TICK_SECONDS = 5;
const SILENT_SECONDS = 20;
/** Between two wakes: a hundred jobs queued together are one. */
const WAKE_PAUSE_MS = 20;

/** Ends with the signal, when the server stops, or with LanistaError `unauthenticated` when the token is no longer good. */
export async function* attend(app: App, worker: WorkerRow, signal: AbortSignal): AsyncIterable<Line> {
  const news = new News();
  const over = AbortSignal.any([signal, app.stopping]);
  const subscriptions = [
    app.events.subscribe("queues", () => news.tell("wake")),
    app.events.subscribe(`worker:${worker.id}`, () => news.tell("look")),
  ];
  const heard = new Set<string>();
  /** Of the embedded worker more may come while it is there. */
  const listen = (queues: readonly string[]): void => {
    for (const queue of queues.filter((one) => !heard.has(one))) {
      heard.add(queue);
      subscriptions.push(app.events.subscribe(`queue:${queue}`, () => news.tell("wake")));
      news.tell("wake");
    }
  };
  const told = new Set<string>();
  let draining = false;
  try {
    const { seconds, heartbeatSeconds } = app.config.lease;
    const floors = await floorsOf(app.db, worker.queues);
    const welcome = { leaseSeconds: seconds, heartbeatSeconds, silentSeconds: SILENT_SECONDS, floors };
    yield { command: { case: "welcome", value: welcome } };
    listen(worker.queues);
    news.tell("look");
    news.tell("wake");
    while (!over.aborted) {
      const what = await news.next(TICK_SECONDS * 1000, over);
      if (over.aborted) return;
      if (what.has("look") || what.size === 0) {
        const state = await standing(app, worker.id);
        if (state.draining !== draining) yield { command: { case: "drain", value: { drain: state.draining } } };
        draining = state.draining;
        listen(state.queues);
        for (const { jobId, fence } of await lostLately(app, worker.id)) {
          if (told.has(`${jobId} ${fence}`)) continue;
          told.add(`${jobId} ${fence}`);
          yield { command: { case: "cancel", value: { jobId, fence: BigInt(fence) } } };
        }
      }
      if (what.has("wake")) {
        yield { command: { case: "wake", value: {} } };
        await sleep(WAKE_PAUSE_MS, undefined, { signal: over }).catch(() => {});
      }
      if (what.size === 0) yield { command: { case: "tick", value: {} } };
    }
  } finally {
    for (const unsubscribe of subscriptions) unsubscribe();
  }
}

async function standing(app: App, workerId: string): Promise<{ draining: boolean; queues: string[] }> {
  const row = await app.db
    .selectFrom("workers")
    .innerJoin("tokens", "tokens.id", "workers.token_id")
    .select(["draining", "workers.queues", sql<boolean>`revoked_at IS NULL AND expires_at > now()`.as("good")])
    .where("workers.id", "=", workerId)
    .executeTakeFirst();
  if (row === undefined || !row.good)
    throw new LanistaError("unauthenticated", "the worker's token was revoked, or has expired");
  return row;
}

type What = "wake" | "look";

/** What happened since it was last asked. */
class News {
  #since = new Set<What>();
  #heard = () => {};

  tell(what: What): void {
    this.#since.add(what);
    this.#heard();
  }

  /** At once if there is any; nothing after the time, or at the abort. */
  async next(withinMs: number, signal: AbortSignal): Promise<ReadonlySet<What>> {
    if (this.#since.size === 0) {
      const patience = new AbortController();
      const heard = new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
      const either = AbortSignal.any([signal, patience.signal]);
      await Promise.race([heard, sleep(withinMs, undefined, { signal: either }).catch(() => {})]);
      patience.abort();
    }
    const since = this.#since;
    this.#since = new Set();
    return since;
  }
}
