/**
 * The jobs that this process works on. A message that comes a second time meanwhile (its connection was lost, or the broker
 * lost patience) joins the work on the first one. Beyond the slots messages wait.
 */

import type { JobEnd } from "./job.ts";
import { Journal } from "./journal.ts";
import type { TaskMessage } from "./task-message.ts";

const MOST_REVOKED = 10_000;

export class AtHand {
  readonly #work: (message: TaskMessage) => Promise<JobEnd>;
  readonly #slots: number;
  readonly #jobs = new Map<string, Promise<JobEnd>>();
  readonly #revoked = new Set<string>();
  readonly #waiting: (() => void)[] = [];
  #busy = 0;
  #closed = false;
  #done = 0;

  /** `work` never rejects. */
  constructor(slots: number, work: (message: TaskMessage) => Promise<JobEnd>) {
    this.#slots = slots;
    this.#work = work;
  }

  get running(): number {
    return this.#busy;
  }

  /** Jobs that have come to an end. */
  get done(): number {
    return this.#done;
  }

  take(message: TaskMessage): Promise<JobEnd> {
    const key = Journal.key(message.jobId, message.taskId);
    const same = this.#jobs.get(key);
    if (same !== undefined) return same;
    if (this.#closed) return Promise.resolve({ kind: "again", why: "the worker ends" });
    const job = this.#run(message).finally(() => this.#jobs.delete(key));
    this.#jobs.set(key, job);
    return job;
  }

  /** Those that have not begun are not begun any more. */
  revoke(taskIds: readonly string[]): void {
    for (const id of taskIds) this.#revoked.add(id);
    for (const id of this.#revoked) if (this.#revoked.size > MOST_REVOKED) this.#revoked.delete(id);
  }

  /** What comes from now on is given back. */
  close(): void {
    this.#closed = true;
  }

  async idle(): Promise<void> {
    while (this.#jobs.size > 0) await Promise.all(this.#jobs.values());
  }

  async #run(message: TaskMessage): Promise<JobEnd> {
    if (this.#busy >= this.#slots) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#busy++;
    try {
      if (this.#revoked.has(message.taskId)) return { kind: "revoked", why: "revoked" };
      if (message.expires !== undefined && message.expires < new Date()) return { kind: "revoked", why: "expired" };
      return await this.#work(message);
    } finally {
      this.#done++;
      // The slot goes on to the next that waits, if one does.
      const next = this.#waiting.shift();
      if (next === undefined) this.#busy--;
      else next();
    }
  }
}
