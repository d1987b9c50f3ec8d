import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { AtHand } from "./at-hand.ts";
import type { JobEnd } from "./job.ts";
import type { TaskMessage } from "./task-message.ts";

const STORED: JobEnd = {
  kind: "stored",
  report: { task_id: "", ok: true, raw_log: "", result: "", error: null },
};
const message = (jobId: number, more: Partial<TaskMessage> = {}): TaskMessage => ({
  taskId: `m${jobId}`,
  jobId,
  eta: undefined,
  expires: undefined,
  replyTo: "",
  correlationId: "",
  ...more,
});
const later = (ms: number): Date => new Date(Date.now() + ms);

function open(slots: number) {
  const begun: number[] = [];
  const rooms: number[] = [];
  const ends = new Map<number, (end: JobEnd) => void>();
  const atHand = new AtHand({
    slots,
    work: ({ jobId }, terminated) =>
      new Promise((resolve) => {
        begun.push(jobId);
        ends.set(jobId, resolve);
        terminated.addEventListener("abort", () => resolve({ kind: "revoked", why: "terminated" }));
      }),
    onRoom: (messages) => rooms.push(messages),
  });
  const end = async (jobId: number): Promise<void> => {
    ends.get(jobId)!(STORED);
    for (let one = 0; one < 3; one++) await turn();
  };
  return { atHand, begun, rooms, end };
}
const states = (atHand: AtHand): string[] => atHand.jobs.map((one) => `${one.message.jobId} ${one.state}`);

describe("jobs at hand", () => {
  it("wait for their ETA without taking a slot, or anybody's place at the broker", async () => {
    const { atHand, begun, rooms, end } = open(1);
    const waits = atHand.take(message(1, { eta: later(400) }));
    const now = atHand.take(message(2, { eta: later(-1000) }));
    expect(states(atHand)).toEqual(["1 scheduled", "2 reserved"]);
    expect(rooms).toEqual([2]);
    await turn();
    expect(begun).toEqual([2]);
    await expect.poll(() => states(atHand)).toEqual(["1 reserved", "2 active"]);
    expect(rooms).toEqual([2, 1]);
    await end(2);
    expect(await now).toEqual(STORED);
    expect(begun).toEqual([2, 1]);
    await end(1);
    expect(await waits).toEqual(STORED);
    expect(atHand).toMatchObject({ running: 0, done: 2 });
  });

  it("are never begun once they were revoked or have expired, wherever they wait", async () => {
    const { atHand, begun, rooms, end } = open(1);
    const runs = atHand.take(message(1));
    const scheduled = atHand.take(message(2, { eta: later(60_000) }));
    const reserved = atHand.take(message(3));
    const expires = atHand.take(message(4, { expires: later(50) }));
    await turn();
    expect(atHand.revoke(["m2", "m3", "m5"])).toEqual(["m2", "m3"]);
    for (const one of [scheduled, reserved, atHand.take(message(5))])
      expect(await one).toEqual({ kind: "revoked", why: "revoked" });
    expect(await atHand.take(message(6, { expires: later(-1) }))).toEqual({ kind: "revoked", why: "expired" });
    await new Promise((resolve) => setTimeout(resolve, 80));
    await end(1);
    expect(await runs).toEqual(STORED);
    expect(await expires).toEqual({ kind: "revoked", why: "expired" });
    expect(begun).toEqual([1]);
    expect(rooms.at(-1)).toBe(1);
    expect(atHand.running).toBe(0);
    expect(atHand.revoked).toEqual(["m2", "m3", "m5"]);
  });

  it("lose no slot where one that waits is revoked in the moment that the slot becomes free", async () => {
    const { atHand, begun, end } = open(1);
    void atHand.take(message(1));
    const second = atHand.take(message(2));
    void atHand.take(message(3));
    await turn();
    const ended = end(1);
    atHand.revoke(["m2"]);
    await ended;
    expect((await second).kind).toBe("revoked");
    expect(begun).toEqual([1, 3]);
    await end(3);
    expect(atHand.running).toBe(0);
  });

  it("that run go on when they are revoked, and end when they are terminated", async () => {
    const { atHand, begun } = open(1);
    const runs = atHand.take(message(1));
    const next = atHand.take(message(2));
    await turn();
    expect(atHand.revoke(["m1"])).toEqual(["m1"]);
    await turn();
    expect(states(atHand)).toEqual(["1 active", "2 reserved"]);
    expect(atHand.revoke(["m1"], true)).toEqual(["m1"]);
    expect(await runs).toEqual({ kind: "revoked", why: "terminated" });
    await turn();
    expect(begun).toEqual([1, 2]);
    expect(atHand.revoke(["m2"], true)).toEqual(["m2"]);
    expect((await next).kind).toBe("revoked");
  });

  it("that have not begun are let go of when the broker takes them back, or the worker ends", async () => {
    for (const how of ["forget", "close"] as const) {
      const { atHand, begun, end } = open(1);
      const runs = atHand.take(message(1));
      const waiting = [atHand.take(message(2)), atHand.take(message(3, { eta: later(60_000) }))];
      await turn();
      atHand[how]();
      for (const one of waiting) expect((await one).kind).toBe("again");
      const again = atHand.take(message(2));
      await end(1);
      expect(await runs).toEqual(STORED);
      await turn();
      expect(begun).toEqual(how === "forget" ? [1, 2] : [1]);
      if (how === "close") expect((await again).kind).toBe("again");
    }
  });

  it("are more or fewer at a time when the pool grows or shrinks", async () => {
    const { atHand, begun, rooms, end } = open(1);
    for (const one of [1, 2, 3, 4]) void atHand.take(message(one));
    await turn();
    atHand.resize(3);
    await turn();
    expect(begun).toEqual([1, 2, 3]);
    atHand.resize(1);
    await end(1);
    await end(2);
    expect(begun).toEqual([1, 2, 3]);
    await end(3);
    expect(begun).toEqual([1, 2, 3, 4]);
    expect(rooms).toEqual([3, 1]);
  });
});
