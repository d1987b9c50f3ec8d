/** What a seat is blamed for where its box is slow to start or to end: real programs, in boxes that are told to be slow. */
import { setTimeout as sleep } from "node:timers/promises";
import { makeEnvironment } from "@lanista/games/environment";
import { ticTacToe } from "@lanista/games/tic-tac-toe";
import type { Cause, Sandbox } from "@lanista/sandbox/types";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { playMatch } from "./match.ts";
import type { MatchResult } from "./result.ts";
import { FIRST, Stage } from "./testing/scripted.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

/** Plays FIRST against a script whose box differs in `but` from a real one. */
async function against(script: string, but: (real: Sandbox) => Partial<Sandbox>): Promise<MatchResult> {
  const agent = stage.agent("odd", script);
  const open = async (): Promise<Sandbox> => {
    const real = await agent.open();
    const changed = but(real);
    return new Proxy(real, {
      get(target, key) {
        const value: unknown = Reflect.get(key in changed ? changed : target, key);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  };
  const contenders = [stage.agent("first", FIRST), { ...agent, open }];
  const env = makeEnvironment(ticTacToe as never);
  return (await playMatch({ env, contenders, moveSeconds: 1, startSeconds: 1, attempts: 1 })).result;
}

/** A box that is cleared up for two seconds after its program died, of this cause: longer than a closed output or a move has. */
const endsLate =
  (cause: Cause) =>
  (real: Sandbox): Partial<Sandbox> => ({
    ended: real.ended.then(async (end) => {
      await sleep(2000);
      return { ...end, cause };
    }),
  });

const DIES = "ready(); read(); sys.exit(0)";

describe("a box that is over, but not cleared up yet, is judged by its end:", () => {
  test("a fault of its runtime's is ours", async () => {
    const result = await against(DIES, endsLate({ kind: "runtimeFault", detail: "killed from outside" }));
    expect(result.outcome).toMatchObject({ kind: "infra_fault", seat: 1 });
    expect(result.seats.map(({ faults }) => faults)).toEqual([0, 0]);
  });

  test("a limit's is named", async () => {
    const result = await against(DIES, endsLate({ kind: "memory" }));
    expect(result.outcome).toMatchObject({ kind: "agent_fault", seats: [1], fault: "memory" });
  });

  test("also before it was ready", async () => {
    const result = await against("sys.exit(0)", endsLate({ kind: "runtimeFault", detail: "killed from outside" }));
    expect(result.outcome).toMatchObject({ kind: "infra_fault", seat: 1 });
  });
});

describe("not ready in time", () => {
  test("is our fault where the program was not even started", async () => {
    const result = await against("time.sleep(9)", () => ({ programUp: false }));
    expect(result.outcome).toMatchObject({ kind: "infra_fault", seat: 1 });
    expect((result.outcome as { detail: string }).detail).toMatch(/had not started the agent's program/);
  });

  test("is the agent's where it was", async () => {
    const result = await against("time.sleep(9)", () => ({}));
    expect(result.outcome).toMatchObject({ kind: "agent_fault", seats: [1], fault: "start" });
  });
});
