/**
 * The bounds on what runs at once, of a queue, a space, and a participant in a space, kept exactly under any number of
 * claimers: whoever is about to take a bounded job holds the bound's lock to the end of his transaction, and counts what
 * runs after he got it. Ends only ever lower the counts, so they need no lock. What has no bound is locked by nobody.
 *
 * Nobody waits in a circle: queues are locked first, in the order of their names; then the first spaces met, in the order
 * of their ids; a space that is met later is only tried for. Rows are never waited for under these locks.
 */
import { sql } from "kysely";
import type { Tx } from "../db/database.ts";
import { type Candidate, runningInQueueQuery, runningInSpacesQuery } from "./claim-sql.ts";

/** 0: none. */
interface SpaceBounds {
  readonly space: number;
  readonly owner: number;
}

interface SpaceCount {
  all: number;
  readonly byOwner: Map<string, number>;
}

const UNBOUNDED: SpaceBounds = { space: 0, owner: 0 };

export interface QueueBound {
  readonly name: string;
  /** 0: none. */
  readonly max_running: number;
}

export class Limits {
  readonly #tx: Tx;
  readonly #queues: readonly QueueBound[];
  readonly #rooms = new Map<string, number>();
  readonly #bounds = new Map<string, SpaceBounds>();
  readonly #spaces = new Map<string, SpaceCount>();
  readonly fullSpaces = new Set<string>();
  /** As `space/owner`. */
  readonly fullOwners = new Set<string>();

  constructor(tx: Tx, queues: readonly QueueBound[]) {
    this.#tx = tx;
    this.#queues = queues;
  }

  /** Locks and counts the queues that have a bound. Before anything else of the claim. */
  async lockQueues(): Promise<void> {
    const bounded = this.#queues.filter((queue) => queue.max_running > 0);
    for (const { name, max_running } of bounded.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      await sql`SELECT pg_advisory_xact_lock(hashtextextended(${`lanista queue ${name}`}, 0))`.execute(this.#tx);
      const counted = await runningInQueueQuery(name).execute(this.#tx);
      this.#rooms.set(name, Math.max(0, max_running - (counted.rows[0]?.running ?? 0)));
    }
  }

  /** How many more of the queue may run. */
  room(queue: string): number {
    return this.#rooms.get(queue) ?? Number.POSITIVE_INFINITY;
  }

  /** Locks and counts the spaces of these that have a bound. */
  async lockSpaces(candidates: readonly Candidate[]): Promise<void> {
    await this.#readBounds(candidates);
    const bounded = [...new Set(candidates.flatMap((one) => one.space_id ?? []))].filter((id) => this.#isBounded(id));
    const fresh = bounded.filter((id) => !this.#spaces.has(id) && !this.fullSpaces.has(id)).sort();
    if (fresh.length === 0) return;
    const wait = this.#spaces.size === 0;
    const locked: string[] = [];
    for (const id of fresh) {
      const key = `lanista space ${id}`;
      if (wait) await sql`SELECT pg_advisory_xact_lock(hashtextextended(${key}, 0))`.execute(this.#tx);
      else {
        const tried = await sql<{ got: boolean }>`SELECT pg_try_advisory_xact_lock(hashtextextended(${key}, 0)) AS got
          `.execute(this.#tx);
        if (tried.rows[0]?.got !== true) {
          this.fullSpaces.add(id);
          continue;
        }
      }
      locked.push(id);
      this.#spaces.set(id, { all: 0, byOwner: new Map() });
    }
    const counted = await runningInSpacesQuery(locked).execute(this.#tx);
    for (const { space_id, owner_id, running } of counted.rows) {
      const count = this.#spaces.get(space_id);
      if (count === undefined) continue;
      count.all += running;
      if (owner_id === null) continue;
      count.byOwner.set(owner_id, running);
      const bound = this.#bounds.get(space_id)?.owner ?? 0;
      // All of them at once: a claim must not meet them one by one.
      if (bound > 0 && running >= bound) this.fullOwners.add(`${space_id}/${owner_id}`);
    }
  }

  /** Whether it may run now; if so it is counted, else its bound is noted as reached. After lockSpaces with it. */
  admit(queue: string, { space_id, owner_id }: Candidate): boolean {
    if (this.room(queue) < 1) return false;
    if (space_id !== null && this.#isBounded(space_id)) {
      const { space, owner } = this.#bounds.get(space_id) ?? UNBOUNDED;
      const count = this.#spaces.get(space_id);
      if (count === undefined || (space > 0 && count.all >= space)) {
        this.fullSpaces.add(space_id);
        return false;
      }
      const own = owner_id === null ? 0 : (count.byOwner.get(owner_id) ?? 0);
      if (owner_id !== null && owner > 0 && own >= owner) {
        this.fullOwners.add(`${space_id}/${owner_id}`);
        return false;
      }
      count.all++;
      if (owner_id !== null) count.byOwner.set(owner_id, own + 1);
    }
    if (this.#rooms.has(queue)) this.#rooms.set(queue, this.room(queue) - 1);
    return true;
  }

  #isBounded(id: string): boolean {
    const { space, owner } = this.#bounds.get(id) ?? UNBOUNDED;
    return space > 0 || owner > 0;
  }

  async #readBounds(candidates: readonly Candidate[]): Promise<void> {
    const ids = new Set(candidates.flatMap((one) => one.space_id ?? []).filter((id) => !this.#bounds.has(id)));
    if (ids.size === 0) return;
    const rows = await this.#tx
      .selectFrom("spaces")
      .select(["id", "max_running as space", "max_running_per_participant as owner"])
      .where("id", "in", [...ids])
      .execute();
    for (const { id, ...bounds } of rows) this.#bounds.set(id, bounds);
  }
}
