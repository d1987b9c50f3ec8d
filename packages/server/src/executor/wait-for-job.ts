/** A call waits for the end of a job; whoever goes away ends the job, unless others wait for it too. */
import { LanistaError } from "@lanista/api/errors";
import type { App } from "../app.ts";
import type { OutcomeRow } from "../db/types.ts";
import { cancelJob } from "../jobs/cancel.ts";
import { inTransaction } from "../jobs/transaction.ts";

/** An event may be lost with a connection: then the row is read this much later. */
const LOOK_MS = 2000;

/**
 * What `read` gives once it is not null. Throws LanistaError `unavailable` when this server stops, `cancelled` when the
 * signal is aborted; the job is left alone in both cases.
 */
export async function waitForJob<T>(
  app: App,
  jobId: string,
  signal: AbortSignal,
  read: () => Promise<T | null>,
): Promise<T> {
  const stop = AbortSignal.any([signal, app.stopping]);
  for await (const _ of app.events.changes([`job:${jobId}`], stop, LOOK_MS)) {
    const found = await read();
    if (found !== null) return found;
  }
  if (signal.aborted) throw new LanistaError("cancelled", "the call was cancelled");
  throw new LanistaError("unavailable", "the server stops; the same request elsewhere, or later, goes on waiting");
}

const ABANDONED = "the caller went away";

/** Whether another call that waited for the same job, here or on another server, took it along when it went away. */
export const wasAbandoned = ({ kind, detail }: OutcomeRow): boolean => kind === "cancelled" && detail === ABANDONED;

/** Once the caller has gone away. Errors are the caller's to log: nobody waits for the answer. */
export async function cancelAbandoned(app: App, jobId: string): Promise<void> {
  await inTransaction(app, (tx) => cancelJob(app, tx, jobId, ABANDONED));
}
