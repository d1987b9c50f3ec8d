/** Bundles on the real aivle_grader and aivle_gym: our grading gives what aiVLE's own worker gives. */
import { afterAll, describe, expect, test } from "vitest";
import { Comparison, type PairLimits } from "./support.ts";

const opened = await Comparison.open();
const comparison = opened!;
afterAll(async () => await opened?.close());

interface Case {
  readonly name: string;
  readonly bundle: string;
  readonly agent?: string;
  readonly limits?: PairLimits;
  /** Of aiVLE's record. */
  readonly error: "TLE" | "MLE" | "RE" | null;
  /** Of our grade. */
  readonly verdict: string;
  readonly value?: number;
}

const SUITE = (step: string, more = ""): string =>
  `${more}\nclass A:\n    def reset(self): pass\n    def step(self, state):\n        ${step}\ndef create_agent(**kwargs): return A()\n`;

const CASES: readonly Case[] = [
  { name: "one agent, aivle_grader alone", bundle: "suite", error: null, verdict: "OK", value: 9 },
  {
    name: "an agent on the new gymnasium, beside its grader's old gym",
    bundle: "suite",
    agent: SUITE(
      "return state if SPACE.contains(state) else None",
      "import gymnasium\nSPACE = gymnasium.spaces.Discrete(10)\ngymnasium.make('CartPole-v1').reset(seed=1)",
    ),
    error: null,
    verdict: "OK",
    value: 9,
  },
  {
    name: "one agent, aivle_gym's environment in a process of its own",
    bundle: "single",
    error: null,
    verdict: "OK",
    value: 200,
  },
  { name: "several agents at the barrier", bundle: "multi", error: null, verdict: "OK", value: 4 },
  {
    name: "a RAM limit that its grader passes",
    bundle: "ram-limit",
    limits: { ramMiB: 256 },
    error: "MLE",
    verdict: "MLE",
  },
  {
    name: "a RAM limit that it keeps to",
    bundle: "ram-limit",
    limits: { ramMiB: 1024 },
    error: null,
    verdict: "OK",
    value: 488.28125,
  },
  {
    name: "an agent over the RAM limit: its case ends with a MemoryError",
    bundle: "suite",
    agent: SUITE("return len(bytearray(1500 * 1024 * 1024))"),
    limits: { ramMiB: 1024 },
    error: null,
    verdict: "MLE",
    value: 0,
  },
  {
    name: "an agent over its case's time: the result names a class that a worker has not",
    bundle: "suite",
    agent: SUITE(
      "left.pop() if left else None",
      "import time\nclass Left(list):\n    def pop(self): super().pop(); time.sleep(60)\nleft = Left([1])",
    ),
    error: "RE",
    verdict: "TLE",
  },
  {
    name: "an agent that never comes back, past the task's time",
    bundle: "suite",
    agent: SUITE(
      "\n        while True:\n            try: time.sleep(60)\n            except Exception: pass",
      "import time",
    ),
    limits: { seconds: 9 },
    error: "TLE",
    verdict: "TLE",
  },
  {
    name: "an agent that raises: its case says so",
    bundle: "suite",
    agent: SUITE("return 1 / 0"),
    error: null,
    verdict: "RE",
    value: 0,
  },
  {
    name: "an agent that raises a class of its own",
    bundle: "suite",
    agent: SUITE("raise Mine('no')", "class Mine(ValueError): pass"),
    error: "RE",
    verdict: "RE",
  },
  {
    name: "an agent that exits",
    bundle: "suite",
    agent: SUITE("sys.exit(3)", "import sys"),
    error: "RE",
    verdict: "RE",
  },
  {
    name: "an agent that ends its process",
    bundle: "suite",
    agent: SUITE("os._exit(0)", "import os"),
    error: "RE",
    verdict: "RE",
  },
  {
    name: "an agent that crashes",
    bundle: "suite",
    agent: SUITE("ctypes.string_at(0)", "import ctypes"),
    error: "RE",
    verdict: "RE",
  },
  {
    name: "an agent that cannot be imported",
    bundle: "suite",
    agent: "import nothing_of_that_name\n",
    error: "RE",
    verdict: "RE",
  },
];

describe.skipIf(opened === null)("aiVLE's record of", () => {
  test.for(CASES)("$name", async ({ bundle, agent, limits, error, verdict, value }) => {
    const pair = await comparison.pair(bundle, agent === undefined ? {} : { "agent.py": agent });
    const [ours, original] = await Promise.all([comparison.ours(pair, limits), comparison.original(pair, limits)]);
    expect(original.error).toBe(error);
    expect({ ok: ours.site.ok, result: ours.site.result, error: ours.site.error }).toEqual({
      ok: original.ok,
      result: original.result,
      error,
    });
    expect(ours.grade).toMatchObject({ split: true, whyNotSplit: null, outcome: { verdict } });
    if (value !== undefined) expect(ours.grade.value).toBe(value);
  });
});
