/**
 * The jobs that this process has of the broker, until each has its end:
 *
 *   scheduled (its ETA is to come; it takes no slot) → reserved (waits for a slot) → active (is worked on)
 *
 * A message that comes a second time meanwhile (its connection was lost, or the broker lost patience) joins the work on the
 * first one. One that has not begun can be let go of at once: revoked, expired, given back because this worker ends, or
 * forgotten because the broker has taken it back with its connection.
 */
import type { JobEnd } from "./job.ts";
import { Journal } from "./journal.ts";
import type { TaskMessage } from "./task-message.ts";

export type JobState = "scheduled" | "reserved" | "active";

export interface JobAtHand {
  readonly message: TaskMessage;
  readonly state: JobState;
  /** Since when it is active, in seconds of Unix time. */
  readonly since: number | null;
}

interface Job extends JobAtHand {
  state: JobState;
  since: number | null;
  readonly terminate: AbortController;
  /** Ends its waiting; with an end, it is never begun. */
  go: (end?: JobEnd) => void;
}

export interface AtHandOptions {
  readonly slots: number;
  /** Never rejects. `terminated`: it was revoked, and is not to go on. */
  readonly work: (message: TaskMessage, terminated: AbortSignal) => Promise<JobEnd>;
  /** How many messages may be unacknowledged at once: those that wait for their ETA keep nobody else's place. */
  readonly onRoom: (messages: number) => void;
}

const MOST_REVOKED = 10_000;
/** Beyond these the broker keeps messages, as the ones before them. */
const MOST_SCHEDULED = 10_000;
/** A clock that is set is noticed within it. */
const LOOK_MS = 60_000;
const AGAIN = (why: string): JobEnd => ({ kind: "again", why });
const REVOKED: JobEnd = { kind: "revoked", why: "revoked" };

export class AtHand {
  readonly #work: AtHandOptions["work"];
  readonly #onRoom: AtHandOptions["onRoom"];
  readonly #jobs = new Map<string, { readonly job: Job; readonly end: Promise<JobEnd> }>();
  readonly #revoked = new Set<string>();
  /** Those that wait for a slot. */
  readonly #queue: Job[] = [];
  #slots: number;
  #busy = 0;
  #scheduled = 0;
  #closed = false;
  #done = 0;

  constructor({ slots, work, onRoom }: AtHandOptions) {
    this.#slots = slots;
    this.#work = work;
    this.#onRoom = onRoom;
  }

  get running(): number {
    return this.#busy;
  }

  get slots(): number {
    return this.#slots;
  }

  /** Jobs that have come to an end. */
  get done(): number {
    return this.#done;
  }

  get jobs(): readonly JobAtHand[] {
    return [...this.#jobs.values()].map(({ job }) => job);
  }

  get revoked(): readonly string[] {
    return [...this.#revoked];
  }

  take(message: TaskMessage): Promise<JobEnd> {
    const key = Journal.key(message.jobId, message.taskId);
    const same = this.#jobs.get(key);
    if (same !== undefined) return same.end;
    if (this.#closed) return Promise.resolve(AGAIN("the worker ends"));
    const unwanted = this.#unwanted(message);
    if (unwanted !== undefined) return Promise.resolve(unwanted);
    const job: Job = { message, state: "reserved", since: null, terminate: new AbortController(), go: () => {} };
    const end = this.#run(job).finally(() => this.#jobs.delete(key));
    this.#jobs.set(key, { job, end });
    return end;
  }

  /** Those that have not begun are not begun any more; where they are to be terminated, the others end too. Gives those it met. */
  revoke(taskIds: readonly string[], terminate = false): readonly string[] {
    for (const id of taskIds) this.#revoked.add(id);
    for (const id of this.#revoked) if (this.#revoked.size > MOST_REVOKED) this.#revoked.delete(id);
    const met = this.#all().filter(({ message }) => taskIds.includes(message.taskId));
    for (const job of met) {
      job.go(REVOKED);
      if (terminate) job.terminate.abort();
    }
    return met.map(({ message }) => message.taskId);
  }

  /** More jobs at a time, or fewer: those that run go on. */
  resize(slots: number): void {
    this.#slots = slots;
    this.#tellRoom();
    while (this.#busy < this.#slots && this.#queue.length > 0) {
      this.#busy++;
      this.#queue.shift()!.go();
    }
  }

  /** The broker has taken back all that was not acknowledged, and may hand it to others. What is begun goes on. */
  forget(): void {
    for (const job of this.#all()) job.go(AGAIN("the connection to the broker was lost"));
  }

  /** What has not begun is given back, and what comes from now on. */
  close(): void {
    this.#closed = true;
    for (const job of this.#all()) job.go(AGAIN("the worker ends"));
  }

  async idle(): Promise<void> {
    while (this.#jobs.size > 0) await Promise.all([...this.#jobs.values()].map(({ end }) => end));
  }

  async #run(job: Job): Promise<JobEnd> {
    const early = (await this.#eta(job)) ?? (await this.#slot(job));
    if (early !== undefined) return early;
    try {
      const unwanted = this.#unwanted(job.message);
      if (unwanted !== undefined) return unwanted;
      job.state = "active";
      job.since = Date.now() / 1000;
      return await this.#work(job.message, job.terminate.signal);
    } finally {
      this.#done++;
      // The slot goes on to the next that waits, if one does and it is still wanted.
      const next = this.#busy > this.#slots ? undefined : this.#queue.shift();
      if (next === undefined) this.#busy--;
      else next.go();
    }
  }

  async #eta(job: Job): Promise<JobEnd | undefined> {
    const at = job.message.eta?.getTime() ?? 0;
    if (at <= Date.now()) return undefined;
    job.state = "scheduled";
    this.#scheduled++;
    this.#tellRoom();
    let timer: NodeJS.Timeout | undefined;
    const end = await new Promise<JobEnd | undefined>((resolve) => {
      job.go = resolve;
      const look = (): void => {
        const left = at - Date.now();
        if (left <= 0) resolve(undefined);
        else timer = setTimeout(look, Math.min(left, LOOK_MS));
      };
      look();
    });
    clearTimeout(timer);
    job.go = () => {};
    job.state = "reserved";
    this.#scheduled--;
    this.#tellRoom();
    return end;
  }

  async #slot(job: Job): Promise<JobEnd | undefined> {
    if (this.#busy < this.#slots) {
      this.#busy++;
      return undefined;
    }
    const end = await new Promise<JobEnd | undefined>((resolve) => {
      // It leaves the queue at once: a slot that went to one which is let go of would be lost.
      job.go = (early) => {
        const at = this.#queue.indexOf(job);
        if (at >= 0) this.#queue.splice(at, 1);
        resolve(early);
      };
      this.#queue.push(job);
    });
    job.go = () => {};
    return end;
  }

  #unwanted({ taskId, expires }: TaskMessage): JobEnd | undefined {
    if (this.#revoked.has(taskId)) return REVOKED;
    return expires !== undefined && expires.getTime() < Date.now() ? { kind: "revoked", why: "expired" } : undefined;
  }

  #all(): readonly Job[] {
    return [...this.#jobs.values()].map(({ job }) => job);
  }

  #tellRoom(): void {
    this.#onRoom(this.#slots + Math.min(this.#scheduled, MOST_SCHEDULED));
  }
}
