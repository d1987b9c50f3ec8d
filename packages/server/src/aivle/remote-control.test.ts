import { describe, expect, it } from "vitest";
import type { JobAtHand } from "./at-hand.ts";
import { type Commanded, type ControlActions, obey } from "./remote-control.ts";

const SELF = "celery@host";
const job = (taskId: string, state: JobAtHand["state"], eta?: Date): JobAtHand => ({
  message: { taskId, jobId: 7, eta, expires: undefined, replyTo: "", correlationId: taskId },
  state,
  since: state === "active" ? 1.5 : null,
});
const JOBS = [job("a", "active"), job("r", "reserved"), job("s", "scheduled", new Date("2026-01-02T03:04:05Z"))];

function told(command: unknown): { readonly done: ReturnType<typeof obey>; readonly did: readonly string[] } {
  const did: string[] = [];
  const note = (what: string) => (given?: unknown) => void did.push(given === undefined ? what : `${what} ${given}`);
  const actions: ControlActions = {
    addConsumer: note("add"),
    cancelConsumer: note("cancel"),
    revoke: (ids, terminate) => {
      did.push(`${terminate ? "terminate" : "revoke"} ${ids}`);
      return ids.filter((id) => id === "a");
    },
    revoked: () => ["gone"],
    jobs: () => JOBS,
    grow: note("grow"),
    shutdown: note("shutdown"),
    queues: () => ["default"],
    stats: () => ({ pid: 1 }),
  };
  const content = Buffer.from(typeof command === "string" ? command : JSON.stringify(command));
  return { done: obey(content, SELF, actions), did };
}
const reply_to = { exchange: "reply.celery.pidbox", routing_key: "key" };
const command = (method: string, given: object, more: object = {}) => ({
  method,
  arguments: given,
  destination: [SELF],
  pattern: null,
  matcher: null,
  ticket: "ticket",
  reply_to,
  ...more,
});
const answer = (done: unknown): unknown => JSON.parse((done as Commanded).reply!.body.toString())[SELF];

describe("remote control", () => {
  it("does what is asked of this worker or of all, and answers as Celery's worker does", () => {
    const { done, did } = told(command("cancel_consumer", { queue: "default" }));
    expect(did).toEqual(["cancel default"]);
    expect(done).toMatchObject({
      method: "cancel_consumer",
      reply: { exchange: reply_to.exchange, routingKey: "key", ticket: "ticket" },
    });
    expect(answer(done)).toEqual({ ok: "no longer consuming from default" });
    expect(told(command("add_consumer", { queue: "gpu", exchange: null })).did).toEqual(["add gpu"]);
    expect(told(command("shutdown", {}, { destination: null, reply_to: undefined })).did).toEqual(["shutdown"]);
    expect(told(command("revoke", { task_id: "a", terminate: false })).did).toEqual(["revoke a"]);
    expect(answer(told(command("ping", {})).done)).toEqual({ ok: "pong" });
  });

  it("ends jobs, and changes how many there are at a time", () => {
    const { done, did } = told(command("revoke", { task_id: ["a", "b"], terminate: true, signal: "SIGKILL" }));
    expect(did).toEqual(["terminate a,b"]);
    expect(answer(done)).toEqual({ ok: "terminate: a" });
    expect(answer(told(command("terminate", { signal: "TERM", task_id: "b" })).done)).toEqual({
      ok: "terminate: tasks unknown",
    });
    expect(told(command("pool_grow", { n: 2 })).did).toEqual(["grow 2"]);
    expect(told(command("pool_shrink", {})).did).toEqual(["grow -1"]);
    for (const n of [0, -1, 1.5, "2", 1e9]) expect(told(command("pool_grow", { n })).did).toEqual([]);
  });

  it("shows the jobs as celery inspect does", () => {
    const inspect = (method: string, given = {}): unknown => answer(told(command(method, given)).done);
    const a = { id: "a", name: "aiVLE.submit_eval_task", args: [7], time_start: 1.5, hostname: SELF };
    expect(inspect("active", { safe: null })).toMatchObject([a]);
    expect(inspect("reserved")).toMatchObject([{ id: "r", time_start: null }]);
    expect(inspect("scheduled")).toMatchObject([{ eta: "2026-01-02T03:04:05.000+00:00", request: { id: "s" } }]);
    expect(inspect("query_task", { ids: ["a", "x"] })).toMatchObject({ a: ["active", a] });
    expect(inspect("revoked")).toEqual(["gone"]);
    expect(inspect("registered")).toEqual(["aiVLE.submit_eval_task"]);
  });

  it("leaves to others what is meant for others", () => {
    expect(told(command("shutdown", {}, { destination: ["celery@other"] }))).toEqual({ done: null, did: [] });
    expect(told(command("shutdown", {}, { destination: [] }))).toEqual({ done: null, did: [] });
    expect(told(command("shutdown", {}, { destination: null, pattern: "celery@o*", matcher: "glob" }))).toEqual({
      done: null,
      did: [],
    });
  });

  it("does nothing about what makes no sense", () => {
    for (const text of ["", "[]", "null", "{}", '{"method": 1}', `{"method": "${"x".repeat(100_000)}"}`]) {
      const { done, did } = told(text);
      expect(typeof done).toBe("string");
      expect(did).toEqual([]);
    }
    for (const given of [{}, { queue: 1 }, { queue: "a b" }, { queue: "" }]) {
      const { done, did } = told(command("add_consumer", given));
      expect(answer(done)).toHaveProperty("error");
      expect(did).toEqual([]);
    }
    expect(answer(told(command("pool_restart", {})).done)).toEqual({ error: "no such command: pool_restart" });
    expect(answer(told(command("__proto__", {})).done)).toHaveProperty("error");
  });
});
