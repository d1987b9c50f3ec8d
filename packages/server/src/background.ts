/** What every server does by itself beside answering: each starts here and is given a way to end it. */
import type { App } from "./app.ts";
import { sweepForever } from "./jobs/sweep.ts";
import { matchmaker } from "./ladder/matchmaker.ts";

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

export const BACKGROUND: readonly Background[] = [sweeper, matchmaker];
