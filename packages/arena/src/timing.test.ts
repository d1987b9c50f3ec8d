/** Whose fault a delay is, tried with real processes, a busy host and a host that sleeps. */

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { makeEnvironment } from "@lanista/games/environment";
import { ticTacToe } from "@lanista/games/tic-tac-toe";
import type { SandboxSpec } from "@lanista/sandbox/types";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { playMatch } from "./match.ts";
import type { MatchRequest } from "./match-plan.ts";
import { readReplayFile } from "./replay-file.ts";
import { FIRST, Stage } from "./testing/scripted.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

const env = makeEnvironment(ticTacToe as never);
let files = 0;

async function play(scripts: readonly string[], more: Partial<MatchRequest>, spec: Partial<SandboxSpec> = {}) {
  const replay = `${stage.dir}/timing-${files++}.jsonl`;
  const contenders = scripts.map((script, seat) => stage.agent(`agent ${seat}`, script, spec));
  const { result } = await playMatch({ env, contenders, seed: 3, replay, ...more });
  const steps = (await readReplayFile(replay)).episodes.flatMap((episode) => episode.steps);
  return { result, steps };
}

/** Each move takes so much CPU time, however long that lasts. */
const worker = (seconds: number): string => `
ready()
for q in questions():
    until = time.process_time() + ${seconds}
    while time.process_time() < until: pass
    answer(q, first(q))`;
const sleeper = (seconds: number): string =>
  `ready()\nfor q in questions(): time.sleep(${seconds}); answer(q, first(q))`;

async function starved<T>(body: () => Promise<T>): Promise<T> {
  const busy: ChildProcess[] = Array.from({ length: 8 }, () => spawn("/bin/sh", ["-c", "while :; do :; done"]));
  try {
    return await body();
  } finally {
    for (const child of busy) child.kill("SIGKILL");
  }
}

describe("the time bank", () => {
  test("holds what moves take beyond their own time, and no more", async () => {
    const slow = sleeper(0.5);
    const rich = await play([slow, FIRST], { moveSeconds: 0.2, bankSeconds: 20 });
    expect(rich.result.outcome).toEqual({ kind: "completed" });
    const poor = await play([slow, FIRST], { moveSeconds: 0.2, bankSeconds: 1 });
    expect(poor.result.outcome).toMatchObject({ kind: "agent_fault", seats: [0], fault: "timeout" });
    expect(poor.steps.length).toBeGreaterThanOrEqual(2);
  });
});

describe("on a host with 8 busy processes", () => {
  test("an honest agent does not lose by time, though its answers come late", async () => {
    let latest = 0;
    // How much the scheduler takes from it differs from run to run: played until an answer did come late.
    for (let run = 0; run < 6 && latest <= 500; run++) {
      const { result, steps } = await starved(() => play([worker(0.45), FIRST], { moveSeconds: 0.5 }));
      expect(result.outcome).toEqual({ kind: "completed" });
      latest = Math.max(latest, ...steps.map((step) => step.thinkMs[0] ?? 0));
    }
    expect(latest).toBeGreaterThan(500);
  });

  test("an agent that sleeps gains nothing", async () => {
    const { result } = await starved(() => play([sleeper(30), FIRST], { moveSeconds: 0.5, attempts: 1 }));
    expect(result.outcome).toMatchObject({ kind: "agent_fault", seats: [0], fault: "timeout" });
  });

  test("an agent that never ends still loses: its CPU time counts", async () => {
    const { result } = await starved(() => play([worker(30), FIRST], { moveSeconds: 0.3, attempts: 1 }));
    expect(result.outcome).toMatchObject({ kind: "agent_fault", seats: [0], fault: "timeout" });
  });
});

describe.skipIf(!existsSync("/usr/bin/crun"))("in a box with one CPU", () => {
  const boxed = { tier: "container", runtime: "crun" } as const;

  test("processes of one agent that compete with each other gain no time", async () => {
    // Whatever they wait for each other, it is the box's own CPU time that passes: without that bound on what the host is
    // said to have taken, this one would go on until the fault is called ours.
    const crowd = `
ready()
for q in questions():
    for _ in range(8):
        if os.fork() == 0: burn(60)
    burn(60)`;
    const { result } = await play([crowd, FIRST], { moveSeconds: 0.5, attempts: 1 }, boxed);
    expect(result.outcome).toMatchObject({ kind: "agent_fault", seats: [0], fault: "timeout" });
  });

  test("an honest agent does not lose by time on a busy host", async () => {
    const { result } = await starved(() => play([worker(0.25), FIRST], { moveSeconds: 0.5, attempts: 1 }, boxed));
    expect(result.outcome).toEqual({ kind: "completed" });
  });
});

describe.skipIf(!existsSync("/usr/bin/crun"))("a box that stands still while it is not to move", () => {
  const boxed = { tier: "container", runtime: "crun" } as const;
  const more = { whileWaiting: "freeze", moveSeconds: 1 } as const;

  test("plays, and ends", async () => {
    const { result } = await play([FIRST, FIRST], { ...more, episodes: 3 }, boxed);
    expect(result.outcome).toEqual({ kind: "completed" });
  });

  test("ends when its opponent fails, and may end before", async () => {
    const leaver = "ready()\nfor q in questions():\n    answer(q, first(q))\n    sys.exit(0)";
    for (const scripts of [
      [FIRST, "ready(); read()"],
      [leaver, FIRST],
    ])
      expect((await play(scripts, more, boxed)).result.outcome).toMatchObject({ fault: "crash" });
  });
});

test("an answer that came in time counts, though this process read it late", async () => {
  const blocked = stage.agent("prompt", sleeper(0.1));
  let first = true;
  const contenders = [
    {
      ...blocked,
      open: async () => {
        const sandbox = await blocked.open();
        const write = sandbox.stdin.write.bind(sandbox.stdin);
        // Once, right after the first question, the whole process stands still for longer than the move may take.
        sandbox.stdin.write = ((line: string) => {
          const more = write(line);
          if (line.startsWith('{"type":"act"') && first) {
            first = false;
            setTimeout(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 900), 10);
          }
          return more;
        }) as never;
        return sandbox;
      },
    },
    stage.agent("other"),
  ];
  const { result } = await playMatch({ env, contenders, moveSeconds: 0.4, attempts: 1 });
  expect(first).toBe(false);
  expect(result.outcome).toEqual({ kind: "completed" });
});

describe("CPU time used while another seat is to move", () => {
  const burner = `
ready()
def work():
    while True: pass
threading.Thread(target=work, daemon=True).start()
for q in questions(): answer(q, first(q))`;

  test("is charged: what the clock does not cover is a fault", async () => {
    // 1.8 s of its own would fit into 2, but not beside what it burnt while its opponent used 1.5 s of CPU time.
    const slow = burner.replace("answer(q", "time.sleep(1.8); answer(q");
    const { result } = await play([worker(1.5), slow], { moveSeconds: 2 });
    expect(result.outcome).toMatchObject({ kind: "agent_fault", seats: [1], fault: "cpu" });
  });

  test("is taken from the bank as long as that lasts", async () => {
    const { result } = await play([sleeper(0.4), burner], { moveSeconds: 1, bankSeconds: 20 });
    expect(result.outcome).toEqual({ kind: "completed" });
  });

  test("is impossible where the box is frozen", async () => {
    const { result } = await play([sleeper(0.7), burner], { moveSeconds: 1, whileWaiting: "freeze" });
    expect(result.outcome).toEqual({ kind: "completed" });
    expect(result.seats[1]!.cpuSeconds).toBeLessThan(2);
  });

  test("is not charged to an agent that waits", async () => {
    const { result } = await play([sleeper(0.7), worker(0.3)], { moveSeconds: 1 });
    expect(result.outcome).toEqual({ kind: "completed" });
  });
});
