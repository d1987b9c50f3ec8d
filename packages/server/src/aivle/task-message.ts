/**
 * A message of Celery's protocol 2 for the one task that there is: `aiVLE.submit_eval_task(job_id)`. Whoever may write to the
 * broker writes these, so everything in them is checked; above all nothing but JSON is ever read.
 */
import { z } from "zod";

export const TASK_NAME = "aiVLE.submit_eval_task";
const MOST_BYTES = 64 * 1024;

export interface TaskMessage {
  /** The message's id, which the site knows the job by. */
  readonly taskId: string;
  readonly jobId: number;
  /** It is not to begin before this. */
  readonly eta: Date | undefined;
  /** Past this nobody wants it any more. */
  readonly expires: Date | undefined;
  /** Where the `rpc` result backend waits; empty: nowhere. */
  readonly replyTo: string;
  readonly correlationId: string;
}

/** As it comes from either broker. */
export interface RawMessage {
  readonly body: Buffer;
  readonly contentType: unknown;
  readonly contentEncoding: unknown;
  readonly headers: unknown;
  readonly replyTo: unknown;
  readonly correlationId: unknown;
}

const Name = z.string().regex(/^[\x21-\x7e]{1,255}$/);
/** ISO 8601, as Python writes it; in UTC where it names no zone, since that is the zone of a worker of Celery's. */
const Time = z
  .string()
  .max(64)
  .regex(/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?$/)
  .transform((text) => new Date(/(?:Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`))
  .refine((time) => Number.isFinite(time.getTime()));
const Headers = z.object({
  id: Name,
  task: z.string().max(255),
  eta: Time.nullish(),
  expires: Time.nullish(),
  compression: z.undefined({ error: "it is compressed" }).optional(),
});
const JobId = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const Body = z.tuple([z.array(z.unknown()).max(8), z.record(z.string(), z.unknown()), z.unknown()]);

/** A sentence where it is none. */
export function readTaskMessage(raw: RawMessage): TaskMessage | string {
  const headers = Headers.safeParse(raw.headers);
  if (!headers.success) return `headers: ${issue(headers.error)}`;
  const { id, task, eta, expires } = headers.data;
  if (task !== TASK_NAME) return `the task "${shown(task)}" is none of this worker's`;
  if (raw.contentType !== "application/json") return "its content is not application/json";
  if (!/^utf-?8$/i.test(String(raw.contentEncoding))) return "its content is not in UTF-8";
  if (raw.body.length > MOST_BYTES) return `its body is over ${MOST_BYTES} bytes`;
  let value: unknown;
  try {
    value = JSON.parse(raw.body.toString("utf8"));
  } catch {
    return "its body is no JSON";
  }
  const body = Body.safeParse(value);
  if (!body.success) return `its body is not [args, kwargs, embed]: ${issue(body.error)}`;
  const [args, kwargs] = body.data;
  const job = JobId.safeParse(args.length > 0 ? args[0] : kwargs.job_id);
  if (!job.success || args.length > 1) return "its arguments are not one job's number";
  return {
    taskId: id,
    jobId: job.data,
    eta: eta ?? undefined,
    expires: expires ?? undefined,
    replyTo: Name.safeParse(raw.replyTo).data ?? "",
    correlationId: Name.safeParse(raw.correlationId).data ?? id,
  };
}

/** A stranger's text in a line of a log that somebody may read at a terminal. */
export const shown = (text: unknown): string =>
  String(text)
    .slice(0, 80)
    .replace(/[^\x20-\x7e]/g, "?");

const issue = ({ issues: [first] }: z.ZodError): string => `${first?.path.join(".") ?? ""}: ${first?.message ?? ""}`;
