/**
 * Reports that come at about the same time, of whichever workers, are settled in one transaction: a busy server writes ten ends
 * to the disk at the price of one. Nobody waits for company: what came while the last ones were written goes next. If
 * anything at all goes wrong with them together, each is settled by itself (report.ts), as is what ends no job.
 */
import type { JobReport } from "@lanista/api/gen/lanista/v1/workers_pb";
import { sql } from "kysely";
import type { App } from "../app.ts";
import type { Tx } from "../db/database.ts";
import { keepBlob } from "../store/orphans.ts";
import { type Ended, endJobs, roomLeft } from "./finish.ts";
import type { JobRow } from "./kinds.ts";
import { knownKind } from "./known-kind.ts";
import { storeOutput } from "./output.ts";
import { ACCEPTED, type Answer, endingOf, hashOf, report, standing } from "./report.ts";
import { inTransaction, tell } from "./transaction.ts";

interface Item {
  readonly workerId: string;
  readonly said: JobReport;
  readonly hash: Buffer;
  readonly blob: string | null;
  readonly answered: (answer: Answer | Promise<Answer>) => void;
}

const MOST = 64;
/** Batches at a time: one that waits for a ladder's lock keeps not all others. */
const LANES = 2;

export class ReportBatches {
  readonly #app: App;
  readonly #waiting: Item[] = [];
  #running = 0;

  constructor(app: App) {
    this.#app = app;
  }

  /** As report() does. */
  async report(workerId: string, said: JobReport): Promise<Answer> {
    const hash = hashOf(said);
    let blob: string | null = null;
    if (said.replayGzip.length > 0) {
      const now = await standing(this.#app.db, workerId, said, hash);
      if ("answer" in now) return now.answer;
      // Before the transaction: a blob that no row names is collected later.
      blob = await keepBlob(this.#app, said.replayGzip);
    }
    return await new Promise<Answer>((answered) => {
      this.#waiting.push({ workerId, said, hash, blob, answered });
      if (this.#running < LANES) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running++;
    for (let batch = this.#next(); batch.length > 0; batch = this.#next()) {
      const answers = await settle(this.#app, batch).catch((error: unknown) => {
        this.#app.log.debug({ err: error, reports: batch.length }, "reports could not be settled together");
        return new Map<Item, Answer>();
      });
      for (const item of batch) item.answered(answers.get(item) ?? report(this.#app, item.workerId, item.said));
    }
    this.#running--;
  }

  /** One a job: of two the second is judged by what the first did. */
  #next(): Item[] {
    const jobs = new Set<string>();
    const batch: Item[] = [];
    for (let at = 0; at < this.#waiting.length && batch.length < MOST; ) {
      const item = this.#waiting[at]!;
      if (jobs.has(item.said.jobId)) at++;
      else {
        jobs.add(item.said.jobId);
        batch.push(...this.#waiting.splice(at, 1));
      }
    }
    return batch;
  }
}

/** The answers of those that could be settled together. */
async function settle(app: App, batch: readonly Item[]): Promise<Map<Item, Answer>> {
  const { answers, topics, jobs } = await inTransaction(app, async (tx) => {
    const answers = new Map<Item, Answer>();
    const ended: Ended[] = [];
    for (const { item, row } of await locked(tx, batch)) {
      if (!isRunning(item, row)) continue;
      const ending = endingOf(knownKind(app, row.kind), item.said);
      if (ending === null) continue;
      await storeOutput(tx, { jobId: row.id, fence: row.fence }, item.said.output);
      ended.push({ job: row, ending: { ...ending, replayBlob: item.blob }, reportHash: item.hash });
      answers.set(item, ACCEPTED);
    }
    const topics = ended.length === 0 ? [] : await endJobs(app, tx, ended);
    return { answers, topics, jobs: ended.map(({ job }) => job) };
  });
  tell(app, async () => [...topics, ...(await roomLeft(app.db, jobs))]);
  return answers;
}

type Locked = JobRow & { readonly reporter: string | null };

/** In the order of their fair keys, by which ladders go too: batches of two servers do not lock crosswise. */
async function locked(tx: Tx, batch: readonly Item[]): Promise<{ item: Item; row: Locked }[]> {
  const { rows } = await sql<Locked>`
    SELECT j.*, a.worker_id AS reporter
    FROM unnest(${batch.map(({ said }) => said.jobId)}::uuid[], ${batch.map(({ said }) => Number(said.fence))}::bigint[])
      AS said (id, fence)
    JOIN jobs j ON j.id = said.id JOIN attempts a ON a.job_id = said.id AND a.fence = said.fence
    ORDER BY j.fair_key, j.id FOR UPDATE OF j`.execute(tx);
  const items = new Map(batch.map((item) => [item.said.jobId, item]));
  return rows.flatMap((row) => {
    const item = items.get(row.id);
    return item === undefined ? [] : [{ item, row }];
  });
}

/** Whether the report is about a running attempt of its worker's. What else it may be, report() finds out. */
function isRunning({ workerId, said }: Item, row: Locked): boolean {
  const { reporter, state, fence, worker_id: holder } = row;
  return reporter === workerId && state === "running" && fence === Number(said.fence) && holder === workerId;
}
