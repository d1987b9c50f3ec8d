import { readFileSync } from "node:fs";

/**
 * How long a set of tasks stood ready to run and was not let, from /proc/<tid>/schedstat (its second number, in ns). The
 * sum only grows: what a task that has gone had waited is kept.
 */
export class RunDelay {
  #last = new Map<number, number>();
  #totalMs = 0;

  /** `tids`: the tasks there are now. */
  update(tids: readonly number[]): number {
    const now = new Map<number, number>();
    for (const tid of tids) {
      let text: string;
      try {
        text = readFileSync(`/proc/${tid}/schedstat`, "utf8");
      } catch {
        continue;
      }
      const delay = Number(text.split(" ")[1]) / 1e6;
      now.set(tid, delay);
      this.#totalMs += Math.max(0, delay - (this.#last.get(tid) ?? 0));
    }
    this.#last = now;
    return this.#totalMs;
  }
}

/** Whether one of the tasks is in state R. The kernel adds a wait to the run delay only when it is over. */
export function anyRunnable(tids: readonly number[]): boolean {
  return tids.some((tid) => {
    try {
      const text = readFileSync(`/proc/${tid}/stat`, "utf8");
      return text[text.lastIndexOf(")") + 2] === "R";
    } catch {
      return false;
    }
  });
}
