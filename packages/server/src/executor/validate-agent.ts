/** ValidateAgent: a `validate` job under the limits' policy. A fault of ours is an RPC's error: it says nothing of the agent. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { LanistaError } from "@lanista/api/errors";
import type { ValidationRequest, ValidationResponseSchema } from "@lanista/api/gen/executor/executor_pb";
import { recordBundle } from "../agents/bundles.ts";
import { enqueue } from "../jobs/enqueue.ts";
import { type ValidatePayload, validateResult } from "../jobs/payloads.ts";
import { inTransaction } from "../jobs/transaction.ts";
import { validationNeeds, validationSeconds } from "../jobs/validation-bounds.ts";
import { keepBlob } from "../store/orphans.ts";
import { environmentNamed } from "./environment-named.ts";
import type { Executor } from "./executor.ts";
import { rootOf } from "./limits.ts";
import { QUEUE } from "./record.ts";
import { cancelAbandoned, waitForJob } from "./wait-for-job.ts";

/** Before matches: who hands in waits for this. */
const PRIORITY = 10;
const WAIT_SECONDS = 3600;

type Answer = MessageInitShape<typeof ValidationResponseSchema>;

/** Throws LanistaError: `invalid` for an unknown environment, `unavailable` where a fault of ours left no verdict. */
export async function validateAgent(
  executor: Executor,
  caller: string,
  request: ValidationRequest,
  signal: AbortSignal,
): Promise<Answer> {
  const { app, limits, policy, log } = executor;
  const env = environmentNamed(request.environment);
  const { codeZip } = request;
  if (codeZip.byteLength === 0) return { valid: false, errors: ["there is no code: code_zip is empty"], warnings: [] };
  if (codeZip.byteLength > limits.codeBytes)
    return { valid: false, errors: [`the code is over ${limits.codeBytes} bytes`], warnings: [] };
  const digest = await keepBlob(app, codeZip);
  const { tier } = app.config.worker;
  const image = rootOf(limits, tier);
  const job = await inTransaction(app, async (tx) => {
    await recordBundle(tx, digest, codeZip.byteLength);
    return await enqueue(app, tx, {
      kind: "validate",
      queue: QUEUE,
      fairKey: `executor ${caller}`,
      priority: PRIORITY,
      payload: {
        env: env.definition.id,
        options: env.options,
        bundle: digest,
        tier,
        ...(image === "" ? {} : { image }),
        limits: limits.box,
        startSeconds: limits.startSeconds,
        actSeconds: limits.actSeconds,
        policy,
      } satisfies ValidatePayload,
      tier,
      needs: validationNeeds(limits.box),
      waitSeconds: WAIT_SECONDS,
      timeoutSeconds: validationSeconds(limits),
    });
  });
  try {
    const answer = await waitForJob(app, job.id, signal, () => verdict(executor, job.id));
    log.info({ agentId: request.agentId, valid: answer.valid }, "agent validated");
    return answer;
  } catch (error) {
    if (signal.aborted)
      await cancelAbandoned(app, job.id).catch((failed: unknown) =>
        log.error({ agentId: request.agentId, err: failed }, "an abandoned validation could not be cancelled"),
      );
    throw error;
  }
}

/** null while it waits or runs. */
async function verdict({ app }: Executor, jobId: string): Promise<Answer | null> {
  const job = await app.db
    .selectFrom("jobs")
    .select(["state", "outcome", "result"])
    .where("id", "=", jobId)
    .executeTakeFirstOrThrow();
  if (job.state !== "ended" && job.state !== "dead") return null;
  const result = validateResult.safeParse(job.result);
  const decided = job.outcome?.kind === "completed" || job.outcome?.kind === "agent_fault";
  if (!decided || !result.success)
    throw new LanistaError("unavailable", `the agent could not be validated: ${job.outcome?.detail ?? "no result"}`);
  return result.data;
}
