/** For a process that is of no use without the one that started it. */
import { fstatSync } from "node:fs";

const LOOK_MS = 250;

export interface ParentWatch {
  /** Resolves when the parent is gone. */
  readonly gone: Promise<void>;
  close(): void;
}

/**
 * By standard input, where that is a pipe from the parent, by the channel to it, and by who the parent is. From now on Ctrl-C
 * is not listened to.
 */
export function watchParent(): ParentWatch {
  const { promise: gone, resolve } = Promise.withResolvers<void>();
  const done = (): void => resolve();
  const { ppid } = process;
  // Ctrl-C reaches both: the parent says when to end.
  process.removeAllListeners("SIGINT");
  process.on("SIGINT", () => {});
  const timer = setInterval(() => {
    if (process.ppid !== ppid) done();
  }, LOOK_MS);
  timer.unref();
  process.once("disconnect", done);
  const input = fstatSync(0);
  const piped = input.isFIFO() || input.isSocket();
  if (piped) {
    process.stdin.once("end", done).once("close", done).once("error", done);
    process.stdin.resume();
  }
  return {
    gone,
    close() {
      clearInterval(timer);
      process.off("disconnect", done);
      if (process.connected) process.disconnect?.();
      if (piped) process.stdin.destroy();
    },
  };
}
