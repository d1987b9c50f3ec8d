/**
 * Protocol: an agent that breaks it, its box, or the rules loses by a typed fault of its own within its limits, on every
 * runtime, and its opponent's result stands. That the same agents can play is shown by `honest`, which is the same program.
 */
import type { Fault } from "@lanista/arena/result";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isGrouped, openStage, RUNTIMES, type Stage } from "./support/boxes.ts";
import { boxLeftovers, leftovers, NOTHING, ownerName } from "./support/leftovers.ts";
import { match } from "./support/matches.ts";

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/** Line of the threat list → the fault → the ways to it. */
const LINES: Readonly<Record<string, Readonly<Partial<Record<Fault, readonly string[]>>>>> = {
  "garbage and half a line": {
    protocol: words("garbage nul_bytes not_json print_before_answer blank_lines array utf16"),
    timeout: words("half_line no_newline"),
  },
  "a 1 GB line": { protocol: words("huge_line long_line") },
  "deep nesting": { protocol: words("deep_arrays deep_objects") },
  "NaN and infinities": { protocol: words("nan infinity minus_infinity overflow") },
  "wrong types": {
    protocol: words("text null true list object hexadecimal leading_zero no_id no_action more_keys to_string"),
  },
  "answers out of turn": {
    protocol: words("out_of_turn wrong_id text_id id_past_32_bits fractional_id question_back"),
  },
  "two answers to one question": { protocol: words("two_answers other_second_answer ready_again") },
  "an answer before the question": { protocol: words("start_early_answer") },
  "actions out of range": { illegal_action: words("negative too_large fraction occupied") },
  "numbers larger than 2^53": {
    protocol: words("beyond_2_53 far_beyond_2_53 many_digits"),
    illegal_action: words("at_2_53"),
  },
  "invalid UTF-8": {
    protocol: words("invalid_utf8 invalid_utf8_in_text surrogate_utf8 overlong_utf8 byte_order_mark"),
  },
  "__proto__ keys": { protocol: words("proto_key proto_instead constructor_key") },
  "one byte a second, an agent that stops reading, a busy loop": {
    timeout: words("byte_by_byte stops_reading hangs_busy herd"),
  },
  "a start that is none": {
    start: words("start_exits start_cannot"),
    protocol: words("start_garbage start_wrong_protocol"),
  },
  "the box": {
    crash: words("exits crashes segfaults says_error closes_pipes kill_everything"),
    output: words("flood_log"),
    memory: words("eat_memory"),
    scratch: words("fill_scratch"),
    pids: words("fork_bomb"),
  },
};

/** Where it depends on the runtime which of two true things is seen first. */
const EITHER: Readonly<Record<string, readonly Fault[]>> = {
  // A runtime that stays between the agent and us keeps its own end of the pipe open.
  closes_pipes: ["crash", "timeout"],
  // gVisor's processes are no tasks of the host's: what runs out first are its kernel's tasks or its memory.
  fork_bomb: ["pids", "memory"],
  herd: ["timeout", "memory"],
};
/** Where that holds for gVisor alone. */
const EITHER_UNDER_GVISOR: readonly string[] = ["fork_bomb", "herd"];

const MOVE_SECONDS = 1;
/** What may go by beyond a limit, and beyond what an honest match of the same length takes. */
const GRACE_SECONDS = 0.5;

let stage: Stage;
let owner: string;
beforeAll(async () => {
  stage = await openStage();
  owner = ownerName(stage.runDir)!;
});
afterAll(async () => {
  await stage.close();
  expect(leftovers(stage, owner)).toEqual(NOTHING);
});

/** Lines whose ways reach the box, and not only our own reading of its output: these are all tried on every runtime. */
const OF_THE_BOX = ["the box", "one byte a second, an agent that stops reading, a busy loop", "a 1 GB line"];

/** Ends that only control groups can bring about: without them such a program is not to be run at all. */
const NEED_GROUPS: readonly string[] = ["memory", "pids"];

/** Bytes are read the same whatever runtime they came through: beyond the first runtime one way of each kind will do. */
function waysFor(runtime: string, line: string, ways: readonly string[]): readonly string[] {
  return runtime === RUNTIMES[0] || OF_THE_BOX.includes(line) ? ways : ways.slice(0, 1);
}

describe.each(RUNTIMES)("%s", (runtime) => {
  let honestSeconds = 0;

  it("lets honest agents play", async () => {
    const result = await match(stage, runtime, ["honest", "honest"]);
    expect(result.outcome).toEqual({ kind: "completed" });
    expect(result.seats.map((seat) => seat.score)).toEqual([1, -1]);
    honestSeconds = result.wallSeconds;
  });

  for (const [line, faults] of Object.entries(LINES))
    describe(line, () => {
      for (const [fault, ways] of Object.entries(faults))
        it.skipIf(NEED_GROUPS.includes(fault) && !isGrouped).each(waysFor(runtime, line, ways))(
          `%s loses by ${fault}`,
          { retry: 2 },
          async (way) => {
            const result = await match(stage, runtime, [way, "honest"], { moveSeconds: MOVE_SECONDS });
            expect(result.outcome).toMatchObject({ kind: "agent_fault", seats: [0] });
            const right = EITHER_UNDER_GVISOR.includes(way) && runtime !== "runsc" ? [fault] : (EITHER[way] ?? [fault]);
            expect(right, JSON.stringify(result.outcome)).toContain((result.outcome as { fault: Fault }).fault);
            expect(result.seats.map(({ score, rank }) => [score, rank])).toEqual([
              [-1, 2],
              [1, 1],
            ]);
            expect(result.attempts).toBe(1);
            expect(boxLeftovers(stage, owner)).toEqual(NOTHING);
            // A busy agent on a busy host is given the time that the host took from it.
            if (way !== "hangs_busy")
              expect(result.wallSeconds - honestSeconds).toBeLessThan(MOVE_SECONDS + GRACE_SECONDS);
          },
        );
    });

  it("is not ready in its time: start", async () => {
    const result = await match(stage, runtime, ["start_never_ready", "honest"], { startSeconds: 3 });
    expect(result.outcome).toMatchObject({ kind: "agent_fault", seats: [0], fault: "start" });
  });

  it("names both seats where both are at fault", async () => {
    const result = await match(stage, runtime, ["start_exits", "start_exits"]);
    expect(result.outcome).toMatchObject({ kind: "agent_fault", seats: [0, 1], fault: "start" });
  });

  it("keeps the other's result where the second seat is at fault", async () => {
    const result = await match(stage, runtime, ["honest", "garbage"]);
    expect(result.outcome).toMatchObject({ kind: "agent_fault", seats: [1], fault: "protocol" });
    expect(result.seats.map((seat) => seat.score)).toEqual([1, -1]);
  });

  describe.skipIf(!isGrouped)("CPU burnt in the opponent's thinking time", () => {
    const burn = (way: string, whileWaiting: "charge" | "freeze") =>
      match(stage, runtime, [way, "honest_slow"], { moveSeconds: 0.9, whileWaiting }, { cpus: 2 });
    it("is missing from its own time", async () => {
      const { outcome } = await burn("burns_and_thinks", "charge");
      expect(outcome).toMatchObject({ kind: "agent_fault", seats: [0] });
      expect(outcome).toHaveProperty("fault", expect.stringMatching(/^(cpu|timeout)$/));
    });
    it("cannot be burnt where the box is frozen", async () => {
      expect((await burn("burns_and_thinks", "freeze")).outcome).toEqual({ kind: "completed" });
    });
    it("was the fault, and not the thinking", async () => {
      expect((await burn("thinks", "charge")).outcome).toEqual({ kind: "completed" });
    });
    it("is no fault while the clock covers it", async () => {
      expect((await burn("thinks_ahead_within_reason", "charge")).outcome).toEqual({ kind: "completed" });
    });
  });
});
