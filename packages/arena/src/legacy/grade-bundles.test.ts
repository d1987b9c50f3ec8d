/** Whole gradings of bundle pairs, in boxes. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LegacyBench } from "./testing.ts";

let bench: LegacyBench;
beforeAll(async () => {
  bench = await LegacyBench.open();
});
afterAll(async () => await bench.close());

/** Adds up what the agent answers to 0 … 4. */
const GRADER = `
import pickle
from agent import create_agent
agent = create_agent(factor=2)
agent.reset()
value = sum(agent.step({"n": n}) for n in range(5))
print(pickle.dumps({"suite_id": "sum", "results": [
    {"case_id": 0, "result": {"name": "sum", "detail": [1], "value": value, "error": None}}]}))
`;
const AGENT = `
class Agent:
    def __init__(self, factor):
        self.factor = factor
    def reset(self):
        print("ready")
    def step(self, state):
        return state["n"] * self.factor
def create_agent(**kwargs):
    return Agent(**kwargs)
`;

describe("a bundle pair", () => {
  test("is graded with its agent in a box of its own", async () => {
    const { site, grade } = await bench.grade(GRADER, AGENT);
    expect(site).toMatchObject({ ok: true, error: null });
    expect(site.result).toMatch(/^b'/);
    expect(site.raw_log).toBe(`${site.result}\n`);
    expect(grade.outcome).toEqual({ kind: "completed", verdict: "OK", fault: null, where: null, detail: null });
    expect(grade).toMatchObject({ split: true, whyNotSplit: null, value: 20, suiteId: "sum", agentLog: "ready\n" });
    expect(grade.cases).toEqual([{ caseId: 0, name: "sum", value: 20, detail: [1], error: null }]);
  });

  test("whose grader hands an object over is graded in one box, and its grade says so", async () => {
    const grader = GRADER.replace("agent.reset()", "class Env: pass\nagent.env = Env()");
    const { site, grade } = await bench.grade(grader, AGENT);
    expect(site.ok).toBe(true);
    expect(grade).toMatchObject({ split: false, value: 20, whyNotSplit: "the grader hands the agent a __main__.Env" });
    const required = await bench.grade(grader, AGENT, { split: "require" });
    expect(required.site).toMatchObject({ ok: false, error: "RE", result: null });
  });

  test("without a result is a runtime error that says why", async () => {
    const { site, grade } = await bench.grade(GRADER, AGENT.replace("self, state", "self"));
    expect(site).toMatchObject({ ok: false, error: "RE", result: null });
    expect(grade.outcome).toMatchObject({ kind: "agent_fault", verdict: "RE", where: "agent" });
    expect(grade.outcome.detail).toContain("TypeError");
  });
});
