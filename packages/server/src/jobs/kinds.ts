/**
 * What a kind of job is to the server. The queue knows nothing of matches; a kind is told, inside the same transaction, when
 * one of its jobs starts and when it has ended for good.
 */
import type { Selectable } from "kysely";
import type { ZodType } from "zod";
import type { App } from "../app.ts";
import type { Tx } from "../db/database.ts";
import type { JobsTable, OutcomeRow } from "../db/types.ts";

export type JobRow = Selectable<JobsTable>;

/** What a worker brought, parsed by the kind's schema; null where no worker came to report. */
export interface JobEnd<Result> {
  readonly outcome: OutcomeRow;
  readonly result: Result | null;
  /** The digest under which the replay's gzipped bytes lie in the store. */
  readonly replayBlob: string | null;
  /** Every attempt ended in a fault of ours: the job is `dead`, a person may put it back. */
  readonly dead: boolean;
}

export interface JobKind<Payload = unknown, Result = unknown> {
  readonly name: string;
  readonly payload: ZodType<Payload>;
  readonly result: ZodType<Result>;
  /** The bundles that a worker with such a job's lease may fetch. */
  bundles(payload: Payload): readonly string[];
  /** An attempt begins. */
  started?(app: App, tx: Tx, job: JobRow): Promise<void>;
  /** Exactly once for each end: completed, agent_fault, cancelled, or dead. */
  ended(app: App, tx: Tx, job: JobRow, end: JobEnd<Result>): Promise<void>;
  /**
   * Told instead where `ended` threw at an end that stands all the same: the least that has to be written, so that nobody takes
   * what the job was for as still going on.
   */
  closed?(app: App, tx: Tx, job: JobRow, end: JobEnd<Result>): Promise<void>;
  /** The job goes back into its queue: an attempt ended in a fault of ours, or a person put a dead one back. */
  revived?(app: App, tx: Tx, job: JobRow): Promise<void>;
}
