/** With the host starved on purpose an honest agent never loses by time; a hanging one does, when the host is itself again. */
import { type ChildProcess, spawn } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openStage, RUNTIMES, type Stage } from "./support/boxes.ts";
import { match } from "./support/matches.ts";

const BUSY = 8;
/** LANISTA_STARVED says how many matches are played on the starved host (default 3). */
const MATCHES = Number(process.env.LANISTA_STARVED ?? 3);

/** The engine relays what agents say, and how long its own processes wait for a CPU nobody can tell (docs/threats.md). */
const MOVE_SECONDS: Readonly<Record<string, number>> = { docker: 1 };

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

async function whileBusy<T>(task: () => Promise<T>): Promise<T> {
  const busy: ChildProcess[] = [];
  for (let number = 0; number < BUSY; number++)
    busy.push(spawn("setpriv", ["--pdeathsig", "KILL", "sh", "-c", "while :; do :; done"], { stdio: "ignore" }));
  try {
    return await task();
  } finally {
    for (const child of busy) child.kill("SIGKILL");
  }
}

describe.each(RUNTIMES)("%s", (runtime) => {
  it(
    `an honest agent does not lose by time beside ${BUSY} busy processes`,
    async () => {
      const more = { moveSeconds: MOVE_SECONDS[runtime] ?? 0.05, episodes: 2, startSeconds: 5 };
      await whileBusy(async () => {
        for (let number = 0; number < MATCHES; number++) {
          const { outcome } = await match(stage, runtime, ["works", "works"], more);
          // Where even every extension is not enough the fault is ours, and nobody's loss.
          expect(["completed", "infra_fault"], JSON.stringify(outcome)).toContain(outcome.kind);
        }
      });
    },
    60_000 + MATCHES * 10_000,
  );

  it("an agent that hangs loses by time, busy host or not", async () => {
    const { outcome } = await whileBusy(() => match(stage, runtime, ["stops_reading", "honest"], { moveSeconds: 0.3 }));
    expect(outcome).toMatchObject({ kind: "agent_fault", seats: [0], fault: "timeout" });
  });

  it("an agent that works past its time loses by it on a host that is not starved", { retry: 2 }, async () => {
    const { outcome } = await match(stage, runtime, ["works_too_long", "honest"], { moveSeconds: 0.3 });
    expect(outcome).toMatchObject({ kind: "agent_fault", seats: [0], fault: "timeout" });
  });
});
