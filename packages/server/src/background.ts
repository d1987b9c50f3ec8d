/** What every server does by itself beside answering: each starts here and is given a way to end it. */
import type { App } from "./app.ts";

export interface Background {
  readonly name: string;
  /** Gives what ends it; that resolves when nothing of it runs any more. */
  start(app: App): Promise<() => Promise<void>>;
}

export const BACKGROUND: readonly Background[] = [];
