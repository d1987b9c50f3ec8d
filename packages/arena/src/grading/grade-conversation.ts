/** A case without an environment: the judge's questions, or inputs to be predicted from. */
import { matchSeed } from "../seeds.ts";
import { excerpt } from "./case-files.ts";
import { agentExtras, type CaseRequest, judgeExtras, type RanCase } from "./case-request.ts";
import { ANSWERS, JUDGEMENTS } from "./conversation/dialects.ts";
import { askQuestions } from "./conversation/questions.ts";
import { holdSitting } from "./conversation/sitting.ts";
import type { Metric } from "./measures.ts";
import { askPredictions } from "./supervised/predict.ts";
import type { PreparedQuestionCase, PreparedSupervisedCase } from "./task.ts";

export async function gradeConversation(
  request: CaseRequest,
  one: PreparedQuestionCase | PreparedSupervisedCase,
): Promise<RanCase> {
  const { task, agent, boxes, files, signal } = request;
  const { limits, supervised } = task.manifest;
  const { startSeconds, moveSeconds, bankSeconds, judgeSeconds, caseSeconds } = limits;
  // Nothing of the case's own seed, which the judge draws from, goes into the agent's: a small one could be found by trying all.
  const about = { task: { kind: one.kind }, seed: matchSeed(0, `case/${one.id}`) };
  const record = await holdSitting({
    agent: {
      contender: boxes.contender(agent, undefined, agentExtras(request)),
      dialect: ANSWERS,
      time: { startSeconds, moveSeconds, bankSeconds },
    },
    ...(one.kind === "supervised"
      ? {}
      : {
          judge: {
            contender: boxes.judge(task.judge!, judgeExtras(request)),
            dialect: JUDGEMENTS,
            time: { startSeconds, moveSeconds: judgeSeconds, bankSeconds: 0 },
          },
        }),
    caseSeconds,
    signal,
    drive: (table) =>
      one.kind === "supervised"
        ? askPredictions(table, about, one.scoring.by as Metric, one.table, supervised!.batch)
        : askQuestions(table, about, { id: one.id, seed: one.seed, data: one.data }),
  });
  const { transcript, usage, log } = record;
  const file = await files.write(`${one.id}.transcript.jsonl`, transcript.text);
  const written = await files.write(`${one.id}.agent.log`, log);
  if (one.kind === "questions") await files.write(`${one.id}.judge.log`, record.judgeLog);
  return {
    end: record.end,
    stamp: record.stamp,
    seat: 0,
    episodes: 0,
    steps: record.asked,
    opponents: [],
    data: one.kind === "supervised" ? one.table.digests : null,
    cpuSeconds: usage?.cpuSeconds ?? 0,
    peakMemoryBytes: usage?.peakMemoryBytes ?? 0,
    replay: { file, hash: transcript.hash },
    log: written,
    logText: excerpt(log, request.texts / 2),
  };
}
