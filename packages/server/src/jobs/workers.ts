/** Workers as the server knows them: what they said of themselves, whose token they said it with, when they were last heard. */

import type { MessageInitShape } from "@bufbuild/protobuf";
import { LanistaError } from "@lanista/api/errors";
import type { Resources, ResourcesSchema } from "@lanista/api/gen/lanista/v1/common_pb";
import type { WorkerHello } from "@lanista/api/gen/lanista/v1/workers_pb";
import { type Selectable, sql } from "kysely";
import { z } from "zod";
import type { App } from "../app.ts";
import type { Caller } from "../auth/caller.ts";
import type { Db, Tx } from "../db/database.ts";
import type { ResourcesRow, WorkersTable } from "../db/types.ts";
import { type Claimer, mayTake } from "./claim.ts";

export type WorkerRow = Selectable<WorkersTable>;

const tierReports = z.array(
  z.object({ tier: z.string(), runtime: z.string(), version: z.string(), missing: z.array(z.string()) }),
);
export type TierReports = z.infer<typeof tierReports>;

/** What the worker can build walls with, as it is stored. */
export const tiersOf = (worker: { readonly tiers: unknown }): TierReports => tierReports.parse(worker.tiers);

export function resourcesMessage(row: ResourcesRow): MessageInitShape<typeof ResourcesSchema> {
  const { cpus = 0, memoryBytes = 0, gpus = 0, vramBytes = 0 } = row;
  return { cpus, memoryBytes: BigInt(memoryBytes), gpus, vramBytes: BigInt(vramBytes) };
}

export function resourcesRow(from: Resources | undefined): ResourcesRow {
  if (from === undefined) return {};
  return {
    cpus: from.cpus,
    memoryBytes: Number(from.memoryBytes),
    gpus: from.gpus,
    vramBytes: Number(from.vramBytes),
  };
}

/**
 * A worker says hello: it is written down, or anew under its id. Throws LanistaError `forbidden` for a queue its token does not
 * name or the id of another token's worker, `invalid` for a queue that is not there.
 */
export async function registerWorker(app: App, caller: Caller, hello: WorkerHello): Promise<WorkerRow> {
  const tokenId = machineToken(caller);
  const allowed = await allowedQueues(app.db, caller, hello.queues);
  const refused = hello.queues.find((queue) => !allowed.includes(queue));
  if (refused !== undefined)
    throw new LanistaError("forbidden", `this token may not take jobs of the queue "${refused}"`, {
      field: "hello.queues",
      hint: "A token names its queues when it is made; one that names none takes those of no space.",
    });
  const said = {
    name: hello.name,
    version: hello.version,
    queues: [...new Set(hello.queues)],
    kinds: hello.kinds,
    concurrency: hello.concurrency,
    total: JSON.stringify(resourcesRow(hello.total)),
    tiers: JSON.stringify(
      hello.tiers.map(({ tier, runtime, version, missing }) => ({ tier, runtime, version, missing })),
    ),
  };
  const row = await app.db
    .insertInto("workers")
    .values({ id: hello.workerId, token_id: tokenId, ...said, free: said.total, health: "{}" })
    .onConflict((conflict) =>
      conflict
        .column("id")
        .doUpdateSet({ ...said, seen_at: sql<Date>`now()` })
        .where("workers.token_id", "=", tokenId),
    )
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) throw new LanistaError("forbidden", "this worker's id is another token's");
  return row;
}

/** The caller's own worker. Throws LanistaError `not_found` for another's, as for one that never said hello. */
export async function ownWorker(db: Db | Tx, caller: Caller, id: string): Promise<WorkerRow> {
  const row = await db
    .selectFrom("workers")
    .selectAll()
    .where("id", "=", id)
    .where("token_id", "=", machineToken(caller))
    .executeTakeFirst();
  if (row === undefined)
    throw new LanistaError("not_found", "this worker is not known under this token", {
      field: "worker_id",
      hint: "Call Attend first.",
    });
  return row;
}

function machineToken(caller: Caller): string {
  if (caller.tokenId === null) throw new LanistaError("forbidden", "only a worker's token may do this");
  return caller.tokenId;
}

/** Of these, the queues the caller's token is good for: those it names; a space's own only with a token of that space or by name. */
async function allowedQueues(db: Db | Tx, { spaceId, queues }: Caller, names: readonly string[]): Promise<string[]> {
  const rows = await db
    .selectFrom("queues")
    .select("name")
    .where(mayTake({ queues: names, tokenQueues: queues, spaceId }))
    .execute();
  return rows.map(({ name }) => name);
}

/** What a claim has to know of it. */
export const claimerOf = (worker: WorkerRow, caller: Caller): Claimer => ({
  id: worker.id,
  name: worker.name,
  kinds: worker.kinds,
  tiers: tiersOf(worker).map(({ tier }) => tier),
  queues: worker.queues,
  tokenQueues: caller.queues,
  spaceId: caller.spaceId,
});

/** What the queues want to be left free on the machines that serve them. */
export async function floorsOf(db: Db | Tx, queues: readonly string[]) {
  const rows = await db
    .selectFrom("queues")
    .select(["name", "keep_free"])
    .where("name", "in", [...queues, ""])
    .where(sql<boolean>`keep_free <> '{}'`)
    .execute();
  return rows.map(({ name, keep_free }) => ({ queue: name, keepFree: resourcesMessage(keep_free) }));
}

/** Workers that were heard of within a lease. */
export async function liveWorkers(app: App, db: Db | Tx, queue: string): Promise<WorkerRow[]> {
  return await db
    .selectFrom("workers")
    .selectAll()
    .where("seen_at", ">", sql<Date>`now() - make_interval(secs => ${app.config.lease.seconds})`)
    .where(sql<boolean>`${queue} = ANY(queues)`)
    .orderBy("name")
    .execute();
}
