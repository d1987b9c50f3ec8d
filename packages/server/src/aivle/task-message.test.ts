import { describe, expect, it } from "vitest";
import { readEnvelope } from "./sqs-message.ts";
import { type RawMessage, readTaskMessage } from "./task-message.ts";

const raw = (over: Partial<RawMessage> & { readonly text?: string } = {}): RawMessage => ({
  body: Buffer.from(over.text ?? '[[7], {}, {"chain": null}]'),
  contentType: "application/json",
  contentEncoding: "utf-8",
  headers: { id: "a-b", task: "aiVLE.submit_eval_task", lang: "py", eta: null, expires: null },
  replyTo: "queue-of-results",
  correlationId: "a-b",
  ...over,
});

describe("a task's message", () => {
  it("is read as Celery writes it", () => {
    const ids = { taskId: "a-b", jobId: 7, replyTo: "queue-of-results", correlationId: "a-b" };
    const task = { ...ids, eta: undefined, expires: undefined };
    expect(readTaskMessage(raw())).toEqual(task);
    expect(readTaskMessage(raw({ text: '[[], {"job_id": 7}, {}]' }))).toEqual(task);
    expect(readTaskMessage(raw({ replyTo: undefined, correlationId: undefined }))).toEqual({ ...task, replyTo: "" });
    const headers = { id: "a-b", task: "aiVLE.submit_eval_task", expires: "2026-01-02T03:04:05+08:00" };
    expect(readTaskMessage(raw({ headers }))).toMatchObject({ expires: new Date("2026-01-01T19:04:05Z") });
    const times = { ...headers, eta: "2026-01-02T03:04:05.123456", expires: "2026-01-02 03:04:05+0000" };
    expect(readTaskMessage(raw({ headers: times }))).toMatchObject({
      eta: new Date("2026-01-02T03:04:05.123Z"),
      expires: new Date("2026-01-02T03:04:05Z"),
    });
  });

  it.each([
    ["a pickle", raw({ contentType: "application/x-python-serialize" }), /application\/json/],
    ["another encoding", raw({ contentEncoding: "binary" }), /UTF-8/],
    [
      "compressed",
      raw({ headers: { id: "a", task: "aiVLE.submit_eval_task", compression: "application/x-gzip" } }),
      /compressed/,
    ],
    ["of another task", raw({ headers: { id: "a", task: "other" } }), /"other"/],
    [
      "of a task whose name drives terminals",
      raw({ headers: { id: "a", task: "\u001b[2Jother\n" } }),
      /^the task "\?\[2Jother\?" is/,
    ],
    ["without headers", raw({ headers: undefined }), /headers/],
    ["an id with a line's end", raw({ headers: { id: "a\nb", task: "aiVLE.submit_eval_task" } }), /headers/],
    ["of protocol 1", raw({ text: '{"id": "a", "task": "aiVLE.submit_eval_task", "args": [7]}' }), /\[args/],
    [
      "with an ETA that is no time",
      raw({ headers: { id: "a", task: "aiVLE.submit_eval_task", eta: "tomorrow" } }),
      /headers: eta/,
    ],
    [
      "one that expires in a 13th month",
      raw({ headers: { id: "a", task: "aiVLE.submit_eval_task", expires: "2026-13-01T00:00:00" } }),
      /headers: expires/,
    ],
    ["no JSON", raw({ text: "(dp0" }), /JSON/],
    ["large", raw({ text: `[[7], {}, "${"x".repeat(70_000)}"]` }), /bytes/],
    ["a text for a job", raw({ text: '[["7/../8"], {}, {}]' }), /job/],
    ["a fraction", raw({ text: "[[7.5], {}, {}]" }), /job/],
    ["below 0", raw({ text: "[[-1], {}, {}]" }), /job/],
    ["beyond 2^53", raw({ text: "[[9007199254740993], {}, {}]" }), /job/],
    ["two arguments", raw({ text: "[[7, 8], {}, {}]" }), /job/],
    ["none", raw({ text: "[[], {}, {}]" }), /job/],
  ])("is refused where it is %s", (_what, message, why) => {
    expect(readTaskMessage(message)).toMatch(why);
  });

  it("is read out of SQS's envelope, in base64 or not", () => {
    const envelope = JSON.stringify({
      body: Buffer.from("[[7], {}, {}]").toString("base64"),
      "content-type": "application/json",
      "content-encoding": "utf-8",
      headers: { id: "a", task: "aiVLE.submit_eval_task" },
      properties: { body_encoding: "base64", reply_to: "r", correlation_id: "a", delivery_info: {} },
    });
    for (const text of [envelope, Buffer.from(envelope).toString("base64")])
      expect(readTaskMessage(readEnvelope(text) as RawMessage)).toMatchObject({ jobId: 7, taskId: "a", replyTo: "r" });
    for (const text of ["", "{}", "null", "AAAA", '{"body": 1}']) expect(readEnvelope(text)).toMatch(/no envelope/);
  });
});
