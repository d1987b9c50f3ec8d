/** executor.Executor, as RL Arena's backend calls it. */
import type { ServiceImpl } from "@connectrpc/connect";
import type { Executor as ExecutorService } from "@lanista/api/gen/executor/executor_pb";
import { ENGINE_VERSION } from "@lanista/arena/version";
import { sql } from "kysely";
import type { App } from "../app.ts";
import { callerOf } from "../auth/caller.ts";
import type { Readiness } from "../http/readiness.ts";
import { createExecutor } from "./executor.ts";
import { activeMatches, QUEUE } from "./record.ts";
import { runMatch } from "./run-match.ts";
import { validateAgent } from "./validate-agent.ts";

/** Beside `code_zip`. */
const AROUND_BYTES = 64 * 1024;

export interface ExecutorRegistration {
  readonly service: ServiceImpl<typeof ExecutorService>;
  /** The largest request: one that brings an agent's code. */
  readonly readMaxBytes: number;
}

/** Throws LanistaError `invalid` where the limits' file is wrong. */
export function executorService(app: App, readiness: Readiness): ExecutorRegistration {
  const executor = createExecutor(app);
  return {
    readMaxBytes: executor.limits.codeBytes + AROUND_BYTES,
    service: {
      runMatch: (request, context) => runMatch(executor, callerOf(context).name, request, context.signal),
      validateAgent: (request, context) => validateAgent(executor, callerOf(context).name, request, context.signal),
      async healthCheck() {
        const healthy = (await readiness.missing()).length === 0 && (await hasWorker(app));
        const active = healthy ? await activeMatches(app.db) : 0;
        return { healthy, version: ENGINE_VERSION, activeMatches: active };
      },
    },
  };
}

/** Whether a match that was asked for now would be played: a worker lives that takes the executor's. */
async function hasWorker(app: App): Promise<boolean> {
  const worker = await app.db
    .selectFrom("workers")
    .select("id")
    .where("seen_at", ">", sql<Date>`now() - make_interval(secs => ${app.config.lease.seconds})`)
    .where("draining", "=", false)
    .where(sql<boolean>`${QUEUE} = ANY (queues)`)
    .where(sql<boolean>`'match' = ANY (kinds)`)
    .limit(1)
    .executeTakeFirst();
  return worker !== undefined;
}
