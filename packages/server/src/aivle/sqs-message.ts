/** The envelope that kombu's transport puts around a message in SQS: base64 around JSON, in it the body in base64 again. */
import { z } from "zod";
import type { RawMessage } from "./task-message.ts";

const Envelope = z.object({
  body: z.string(),
  "content-type": z.unknown(),
  "content-encoding": z.unknown(),
  headers: z.unknown(),
  properties: z.object({
    body_encoding: z.string().nullish(),
    reply_to: z.unknown(),
    correlation_id: z.unknown(),
  }),
});

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** A sentence where it is none. kombu can leave the outer base64 out. */
export function readEnvelope(text: string): RawMessage | string {
  let value: unknown;
  try {
    value = JSON.parse(BASE64.test(text) ? Buffer.from(text, "base64").toString("utf8") : text);
  } catch {
    return "it is no envelope of Celery's";
  }
  const parsed = Envelope.safeParse(value);
  if (!parsed.success) return `it is no envelope of Celery's: ${parsed.error.issues[0]?.path.join(".")}`;
  const { body, headers, properties } = parsed.data;
  return {
    body: Buffer.from(body, properties.body_encoding === "base64" ? "base64" : "utf8"),
    contentType: parsed.data["content-type"],
    contentEncoding: parsed.data["content-encoding"],
    headers,
    replyTo: properties.reply_to,
    correlationId: properties.correlation_id,
  };
}
