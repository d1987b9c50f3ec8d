/** RunMatch: from a request to an answer. What makes no sense is answered by STATUS_ERROR, which the backend reads. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { LanistaError } from "@lanista/api/errors";
import type { MatchRequest, MatchResponseSchema } from "@lanista/api/gen/executor/executor_pb";
import type { Environment } from "@lanista/games/environment";
import { answerOf, type EndedMatch, errorAnswer, type ReplayUrls } from "./answer.ts";
import { environmentNamed } from "./environment-named.ts";
import type { Executor } from "./executor.ts";
import { rootOf, timesOf } from "./limits.ts";
import { type MatchOrder, type OrderedMatch, orderMatch, readEnded } from "./record.ts";
import { hasReplay, replayUrls, writeReplayFiles } from "./replay-files.ts";
import type { TakenCode } from "./take-code.ts";
import { cancelAbandoned, waitForJob, wasAbandoned } from "./wait-for-job.ts";

type Answer = MessageInitShape<typeof MatchResponseSchema>;

const MOST_NAME = 200;
/** Matches for one call, where those it joined were abandoned by others. */
const MOST_TRIES = 5;

/** Throws LanistaError `cancelled` and `unavailable`, and what a fault of the server's throws. */
export async function runMatch(
  executor: Executor,
  caller: string,
  request: MatchRequest,
  signal: AbortSignal,
): Promise<Answer> {
  const { log } = executor;
  const about = { matchId: request.matchId, environment: request.environment };
  try {
    const answer = await play(executor, caller, request, signal);
    log.info(
      { ...about, status: answer.status, winner: answer.winnerAgentId, steps: answer.totalSteps },
      "match ended",
    );
    return answer;
  } catch (error) {
    if (!isAnswer(error)) throw error;
    log.warn({ ...about, why: error.message }, "match refused");
    const ids = request.agents.map(({ agentId }) => agentId);
    return errorAnswer(request.matchId, ids, [error.message, error.hint].filter(Boolean).join(". "));
  }
}

/** What is said in the answer: the backend reads that, and takes an RPC's error for an executor that is away. */
function isAnswer(error: unknown): error is LanistaError {
  if (!(error instanceof LanistaError)) return false;
  return (
    error.code !== "cancelled" && error.code !== "internal" && !(error.code === "unavailable" && error.field === "")
  );
}

async function play(executor: Executor, caller: string, request: MatchRequest, signal: AbortSignal): Promise<Answer> {
  const { app } = executor;
  const env = environmentOf(request);
  checkNames(request);
  const code = await takeAll(executor, request, signal);
  const order = orderOf(executor, caller, request, env, code);
  for (let tries = 1; ; tries++) {
    const match = await orderMatch(app, order);
    const ended = await endOf(executor, match, request.matchId, signal);
    // A call that was cut is made again while its end is still on the way: who joined it has cancelled nothing.
    if (wasAbandoned(ended.outcome) && tries < MOST_TRIES) continue;
    return answerOf(ended, request.recordReplay ? await replay(executor, match.id, ended) : null);
  }
}

async function endOf(
  { app, calls, log }: Executor,
  match: OrderedMatch,
  matchId: string,
  signal: AbortSignal,
): Promise<EndedMatch> {
  calls.enter(match.id);
  let over = false;
  try {
    const ended = await waitForJob(app, match.jobId, signal, () => readEnded(app.db, match.id));
    over = true;
    return ended;
  } finally {
    const last = calls.leave(match.id);
    if (last && !over && signal.aborted)
      await cancelAbandoned(app, match.jobId).catch((error: unknown) =>
        log.error({ matchId, err: error }, "an abandoned match could not be cancelled"),
      );
  }
}

/** null where there is none. What goes wrong with a replay does not take the match's result along. */
async function replay(executor: Executor, id: string, ended: EndedMatch): Promise<ReplayUrls | null> {
  const { app, log } = executor;
  try {
    if (!(await hasReplay(app, id, ended))) return null;
    await writeReplayFiles(executor, id);
  } catch (error) {
    log.error({ matchId: ended.matchId, err: error }, "the replay could not be written to its folder");
  }
  return replayUrls(executor, id);
}

function environmentOf({ environment, agents }: MatchRequest): Environment {
  const env = environmentNamed(environment);
  const { seats } = env.info;
  if (agents.length === seats) return env;
  throw new LanistaError("invalid", `${env.definition.id} has ${seats} seats, and ${agents.length} agents were given`, {
    field: "agents",
  });
}

function checkNames({ matchId, agents }: MatchRequest): void {
  if (matchId === "" || matchId.length > MOST_NAME)
    throw new LanistaError("invalid", `a match_id has 1 to ${MOST_NAME} characters`, { field: "match_id" });
  for (const { agentId, version } of agents)
    if (agentId === "" || agentId.length > MOST_NAME || version.length > MOST_NAME)
      throw new LanistaError("invalid", `an agent_id has 1 to ${MOST_NAME} characters, a version at most as many`, {
        field: "agents",
      });
  if (new Set(agents.map(({ agentId }) => agentId)).size < agents.length)
    throw new LanistaError("invalid", "an agent_id is there twice: the result could not say which of them won", {
      field: "agents",
    });
}

/** Of all agents at once; the first failure is the answer, once the others have let go of their files. */
async function takeAll({ code }: Executor, { agents }: MatchRequest, signal: AbortSignal): Promise<TakenCode[]> {
  const settled = await Promise.allSettled(agents.map((agent) => code.take(agent, signal)));
  return settled.map((one) => {
    if (one.status === "fulfilled") return one.value;
    if (one.reason instanceof LanistaError && one.reason.code === "unavailable")
      throw new LanistaError("unavailable", one.reason.message, { field: "agents", cause: one.reason });
    throw one.reason;
  });
}

function orderOf(
  { app, limits }: Executor,
  caller: string,
  request: MatchRequest,
  env: Environment,
  code: readonly TakenCode[],
): MatchOrder {
  const tier = code.some(({ image }) => image !== undefined) ? "docker" : app.config.worker.tier;
  const times = timesOf(limits, request.timeoutSec, env.info.seats);
  return {
    caller,
    externalId: request.matchId,
    recordReplay: request.recordReplay,
    agents: request.agents.map(({ agentId, version }, seat) => ({ id: agentId, version, ...code[seat]! })),
    image: rootOf(limits, tier),
    payload: {
      env: env.definition.id,
      options: env.options,
      episodes: 1,
      onFault: "random",
      forfeitAfter: app.config.executor.forfeitAfter,
      maxSteps: limits.maxSteps,
      tier,
      limits: limits.box,
      ...times,
      live: false,
    },
  };
}
