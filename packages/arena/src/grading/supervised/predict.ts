/** Inputs to the agent, predictions back; the labels stay here. */
import { type CaseEnd, endByAgent } from "../case-end.ts";
import { MAX_ANSWER } from "../conversation/dialects.ts";
import type { SittingTable } from "../conversation/sitting.ts";
import type { Metric } from "../measures.ts";
import { ASKED, type Asked, type Predictions, readPredictions, score } from "./metrics.ts";
import type { SupervisedData } from "./take-data.ts";

/** Bytes of a number as JSON, with a comma. */
const NUMBER_BYTES = 26;

/** Rows a question: no more than that every honest answer is short enough. */
export function batchOf(asked: Asked, { labels, classes }: SupervisedData, most: number): number {
  const longest = (): number => {
    const texts = [...labels, ...classes].filter((label) => typeof label === "string");
    return texts.reduce((size, text) => Math.max(size, 6 * text.length + 3), NUMBER_BYTES);
  };
  const bytes =
    asked === "probabilities" ? NUMBER_BYTES * classes.length + 2 : asked === "labels" ? longest() : NUMBER_BYTES;
  return Math.max(1, Math.min(most, Math.floor((MAX_ANSWER - 100) / bytes)));
}

export async function askPredictions(
  { agent, transcript }: SittingTable,
  about: Readonly<Record<string, unknown>>,
  metric: Metric,
  data: SupervisedData,
  most: number,
): Promise<CaseEnd> {
  const asked = ASKED[metric];
  const { rows, columns, classes, labels } = data;
  const batch = batchOf(asked, data, most);
  const ready = await agent.start({
    ...about,
    task: { kind: "supervised", asked, columns, classes, rows: rows.length },
  });
  if (ready.kind !== "ready") return endByAgent(ready);
  const predicted: unknown[] = [];
  for (let from = 0; from < rows.length; from += batch) {
    const part = rows.slice(from, from + batch);
    const reply = await agent.ask("ask", `"question":${JSON.stringify(part)}`);
    if (reply.kind !== "answer") return endByAgent(reply);
    const read = readPredictions(asked, reply.value, part.length, classes.length);
    if (typeof read === "string") {
      const detail = `rows ${from} … ${from + part.length - 1}: ${read}`;
      return { kind: "agent_fault", fault: "protocol", detail };
    }
    transcript.write({ rows: [from, from + part.length], predictions: read });
    for (const each of read) predicted.push(each);
  }
  const measured = score(metric, labels, predicted as unknown as Predictions, classes);
  transcript.write({ [metric]: measured });
  return { kind: "completed", measured, detail: null, message: null };
}
