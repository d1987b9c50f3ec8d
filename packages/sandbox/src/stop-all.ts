import { signal } from "./cgroup.ts";

/** An honest program is stopped in one or two. */
const PASSES = 100;

/**
 * Stops every process of a box by SIGSTOP, again until nobody new has appeared. Says whether that came to an end: a program
 * can fork faster than it is stopped.
 */
export function stopAll(pids: () => readonly number[]): boolean {
  const stopped = new Set<number>();
  for (let pass = 0; pass < PASSES; pass++) {
    const fresh = pids().filter((pid) => !stopped.has(pid));
    if (fresh.length === 0) {
      // gVisor traces the program's processes, and sends one on that was stopped before gVisor itself was.
      for (const pid of stopped) signal(pid, "SIGSTOP");
      return true;
    }
    for (const pid of fresh) {
      stopped.add(pid);
      signal(pid, "SIGSTOP");
    }
  }
  return false;
}
