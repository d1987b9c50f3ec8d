/** A judge's questions to the agent, relayed by the host, up to the verdict. Each side is another box, and hears of the other what is written here. */
import { AUTHORS, type CaseEnd, endByAgent, endByJudge } from "../case-end.ts";
import type { JudgeMove } from "./dialects.ts";
import type { SittingTable } from "./sitting.ts";

export interface CaseForJudge {
  readonly id: string;
  readonly seed: number;
  readonly data: unknown;
}

/** `about`: of the agent's start message. */
export async function askQuestions(
  { agent, judge, transcript }: SittingTable,
  about: Readonly<Record<string, unknown>>,
  given: CaseForJudge,
): Promise<CaseEnd> {
  const [ready, judgeReady] = await Promise.all([agent.start(about), judge!.start({})]);
  if (ready.kind !== "ready") return endByAgent(ready);
  if (judgeReady.kind !== "ready") return endByJudge(judgeReady);
  let reply = await judge!.ask("case", `"case":${JSON.stringify(given)}`);
  for (;;) {
    if (reply.kind !== "answer") return endByJudge(reply);
    const move = reply.value as JudgeMove;
    if (move.kind === "verdict") {
      transcript.write({ verdict: move.verdict });
      const { value, detail, message } = move.verdict;
      return { kind: "completed", measured: value, detail, message };
    }
    const question = JSON.stringify(move.question);
    const said = await agent.ask("ask", `"question":${question}`);
    if (said.kind !== "answer") {
      transcript.write({ question: move.question, end: said.kind });
      return endByAgent(said);
    }
    transcript.write({ question: move.question, answer: said.value });
    reply = await judge!.ask("answer", `"answer":${JSON.stringify(said.value)}`);
  }
}

/** A judge alone, over the record of what was played. */
export async function judgeRecord(
  { agent: judge, transcript }: SittingTable,
  given: CaseForJudge,
  record: string,
): Promise<CaseEnd> {
  const ready = await judge.start({});
  if (ready.kind !== "ready") return endByJudge(ready);
  const reply = await judge.ask("case", `"case":${JSON.stringify(given)},"record":${record}`);
  if (reply.kind !== "answer") return endByJudge(reply);
  const move = reply.value as JudgeMove;
  if (move.kind === "ask") {
    const detail = `${AUTHORS} judge was at fault: it asked a question, where it is given a record and nobody to ask`;
    return { kind: "infra_fault", detail, again: false };
  }
  transcript.write({ verdict: move.verdict });
  const { value, detail, message } = move.verdict;
  return { kind: "completed", measured: value, detail, message };
}
