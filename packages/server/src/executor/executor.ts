/**
 * Theory of operation: docs/executor.md. RL Arena's backend asks for a match and waits; here the match becomes a job like
 * any other, and the call waits for its end.
 *
 *   RunMatch ── code into the store ── rows and job, one transaction ── events ── the job's end ── answer
 *                 (take-code.ts)          (record.ts)                                  (answer.ts, replay-files.ts)
 *
 * Nothing an agent brought is opened or run here. Who may call is the interceptors' to say.
 */
import { LanistaError } from "@lanista/api/errors";
import { PolicyError, policyFromLimits } from "@lanista/arena/validation/policy";
import type { Logger } from "pino";
import type { App } from "../app.ts";
import { type ExecutorLimits, limitsOf } from "./limits.ts";
import { loadLimits } from "./limits-file.ts";
import { executorLog } from "./log.ts";
import { RunningCalls } from "./running-calls.ts";
import { CodeTaker } from "./take-code.ts";

export interface Executor {
  readonly app: App;
  readonly limits: ExecutorLimits;
  /** The validation's, as a document. */
  readonly policy: Record<string, unknown>;
  readonly code: CodeTaker;
  readonly calls: RunningCalls;
  readonly log: Logger;
}

/** Throws LanistaError `invalid` where the limits' file is wrong, with the place. */
export function createExecutor(app: App): Executor {
  const { config } = app;
  const limits = limitsOf(loadLimits(config.executor.limitsFile), config.worker.tier);
  const log = executorLog(app.log, limits.logging);
  for (const note of limits.notes) log.warn(note);
  if (!config.executor.requireToken && !isLoopback(config.grpc.host))
    log.warn(
      { host: config.grpc.host },
      "whoever reaches gRPC's port may run code in this server's sandboxes: set executor.requireToken, or let nobody else reach it",
    );
  return {
    app,
    limits,
    policy: policyOf(limits),
    code: new CodeTaker(app.store, config.executor, limits),
    calls: new RunningCalls(),
    log,
  };
}

const isLoopback = (host: string): boolean => host === "localhost" || host === "::1" || host.startsWith("127.");

function policyOf({ validation, codeBytes }: ExecutorLimits): Record<string, unknown> {
  try {
    return { ...policyFromLimits(validation, codeBytes / 2 ** 20) };
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    throw new LanistaError("invalid", error.message, { field: "executor.limitsFile", cause: error });
  }
}
