/** What every server does by itself beside answering: each starts here and is given a way to end it. */
import type { App } from "./app.ts";
import { ensureQueue } from "./executor/record.ts";
import { cleanUpForever } from "./jobs/clean-up.ts";
import { sweepForever } from "./jobs/sweep.ts";
import { matchmaker } from "./ladder/matchmaker.ts";
import { scheduleKeeper } from "./schedules/keeper.ts";

export interface Background {
  readonly name: string;
  /** Gives what ends it; that resolves when nothing of it runs any more. */
  start(app: App): Promise<() => Promise<void>>;
}

const sweeper: Background = {
  name: "sweep",
  async start(app) {
    const running = sweepForever(app);
    // It ends with `app.stopping`, which is aborted before any of these is ended.
    return () => running;
  },
};

const cleaner: Background = {
  name: "clean-up",
  async start(app) {
    const running = cleanUpForever(app);
    return () => running;
  },
};

/** The executor's queue is there before a worker asks for it. */
const executorQueue: Background = {
  name: "the executor's queue",
  async start(app) {
    if (app.config.executor.enabled) await ensureQueue(app);
    return async () => {};
  },
};

export const BACKGROUND: readonly Background[] = [sweeper, cleaner, matchmaker, scheduleKeeper, executorQueue];
