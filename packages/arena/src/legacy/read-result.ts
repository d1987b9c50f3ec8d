/** Has a result line read, in a box with nothing else in it, and takes what comes of it as data. */
import { z } from "zod";
import type { LegacyBoxes } from "./legacy-boxes.ts";
import type { LegacyCase } from "./types.ts";

const READ_SECONDS = 20;
const LONGEST_ANSWER = 4 * 1024 * 1024;
const LONGEST_NAME = 1000;

const answerSchema = z.discriminatedUnion("ok", [
  z.strictObject({
    ok: z.literal(true),
    line: z.string().nullable(),
    unknown: z.array(z.string()).max(20),
    value: z.unknown(),
  }),
  z.strictObject({ ok: z.literal(false), why: z.string() }),
]);

const id = z
  .union([z.string().max(LONGEST_NAME), z.number()])
  .nullable()
  .catch(null);
const caseSchema = z.object({
  case_id: id,
  result: z.object({
    name: z.string().max(LONGEST_NAME).nullable().catch(null),
    // Booleans count as in Python; a number that JSON cannot hold is none.
    value: z
      .union([z.number(), z.boolean().transform(Number)])
      .nullable()
      .catch(null),
    detail: z.unknown().optional(),
    error: z.unknown().optional(),
  }),
});
const resultSchema = z.object({ suite_id: id, results: z.array(caseSchema).min(1).max(10_000) });

export interface ReadResult {
  /** What may be handed on to whoever unpickles it; null where that would need classes that aiVLE's site has not. */
  readonly line: string | null;
  readonly unknown: readonly string[];
  /** null where it is not built as a result. */
  readonly result: { readonly suiteId: string | number | null; readonly cases: readonly LegacyCase[] } | null;
}

/** What the reader refused is a text that says why. Throws on a fault of ours. */
export async function readResult(boxes: LegacyBoxes, line: string): Promise<ReadResult | string> {
  const box = await boxes.takeReader();
  const timer = setTimeout(() => box.kill("reading the result took too long"), READ_SECONDS * 1000);
  let size = 0;
  const chunks: Buffer[] = [];
  box.stdout.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > LONGEST_ANSWER) box.kill("the result is too large");
    else chunks.push(chunk);
  });
  box.stderr.resume();
  const closed = new Promise((resolve) => box.stdout.once("close", resolve));
  box.stdin.end(line);
  // Its answer is complete when its output is; its box's end is not waited for by whoever wants a grade.
  await closed;
  clearTimeout(timer);
  const text = Buffer.concat(chunks).toString("utf8");
  if (!text.endsWith("\n")) {
    const { cause } = await box.ended;
    if (cause.kind === "runtimeFault") throw new Error(`reading the result: ${cause.detail}`);
    return "the result cannot be read: it needs too much time, memory or room";
  }
  box.kill("it has answered");
  const answer = answerSchema.parse(JSON.parse(text));
  if (!answer.ok) return answer.why;
  const parsed = resultSchema.safeParse(answer.value);
  const result = parsed.success
    ? {
        suiteId: parsed.data.suite_id,
        cases: parsed.data.results.map(({ case_id, result: { name, value, detail, error } }) => ({
          caseId: case_id,
          name,
          value,
          detail: detail ?? null,
          error: errorText(error),
        })),
      }
    : null;
  return { line: answer.line, unknown: answer.unknown, result };
}

function errorText(error: unknown): string | null {
  if (error === null || error === undefined) return null;
  if (typeof error === "string") return error;
  const { exception, args } = error as { exception?: unknown; args?: unknown };
  if (typeof exception !== "string") return JSON.stringify(error).slice(0, 4000);
  const said = Array.isArray(args) ? args.map((one) => (typeof one === "string" ? one : JSON.stringify(one))) : [];
  return `${exception}${said.length === 0 ? "" : `: ${said.join(", ")}`}`.slice(0, 4000);
}
