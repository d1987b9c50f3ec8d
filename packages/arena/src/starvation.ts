/**
 * How much of an agent's time the host took from it.
 *
 * Two readings bound it, and the smaller counts:
 * - `runDelay − throttled`: tasks of it stood ready while others ran, and not for its own CPU share being used up;
 * - `wall − cpuUsed − throttled`: time in which it did not run at all. Run delay alone could be earned by competing with
 *   oneself: many threads on one CPU wait for each other and add up delay, but while one of them waits another runs, so
 *   CPU time passes as fast as the wall's and this bound is nothing. With several CPUs it is stricter still: what all
 *   threads used together is taken off. So the rest, which is held against the agent, is never less than the CPU time it
 *   has used: nobody gets more CPU time for a move than the move's wall time, however the scheduler is played.
 * Waiting for nothing (a sleep, a lock) is no run delay, so a sleeping agent gains nothing either.
 */
import type { Clocks } from "@lanista/sandbox/types";

/** All in milliseconds, over one stretch of wall time; the result is in 0 … wallMs. */
export function starvedMs(from: Clocks, to: Clocks, wallMs: number): number {
  const throttled = Math.max(0, to.throttledMs - from.throttledMs);
  const delay = to.runDelayMs - from.runDelayMs - throttled;
  const idle = wallMs - (to.cpuMs - from.cpuMs) - throttled;
  return Math.min(Math.max(0, Math.min(delay, idle)), wallMs);
}
