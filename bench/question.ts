/**
 * One question and its answer, again and again, to processes that stay: a raw echo of the same line over a pipe to the
 * same interpreter, the bare runner (twice, to show what noise is), and the runner in each runtime's box.
 */
import { join } from "node:path";
import type { PreparedAgent } from "@lanista/arena/agents/types";
import type { Runtime } from "@lanista/sandbox/types";
import { Agents, missing } from "./lib/agents.ts";
import { type Goal, goal, type Report, short, spread } from "./lib/figures.ts";
import { type Contestant, interleave, scaled } from "./lib/rounds.ts";
import { firstAnswer, Questions, Talk } from "./lib/talk.ts";

const ROUNDS = scaled(15);
const QUESTIONS = 2000;
/** What two equal contestants may differ by and still be called equal; a second bare runner shows what it is in this run. */
const NOISE = 1.1;

const questions = new Questions();

/** Microseconds a question. */
async function round(talk: Talk): Promise<number> {
  const began = performance.now();
  for (let i = 0; i < QUESTIONS; i++) await talk.ask(questions.act());
  return ((performance.now() - began) * 1000) / QUESTIONS;
}

interface Asked {
  readonly contestant: Contestant;
  close(): Promise<void>;
}

async function boxed(agents: Agents, agent: PreparedAgent, runtime: Runtime): Promise<Asked> {
  const sandbox = await agents.contender(agent, runtime).open();
  sandbox.stderr.resume();
  const talk = new Talk(sandbox);
  await firstAnswer(talk, questions, sandbox.agentPath);
  return {
    contestant: { name: runtime, run: () => round(talk) },
    close: async () => {
      sandbox.kill("measured");
      await sandbox.ended;
    },
  };
}

function unboxed(name: string, child: ReturnType<Agents["bare"]>, talk: Talk): Asked {
  const gone = new Promise<void>((resolve) => child.once("close", () => resolve()));
  return {
    contestant: { name, run: () => round(talk) },
    close: () => {
      child.kill("SIGKILL");
      return gone;
    },
  };
}

async function main(): Promise<Report> {
  const agents = await Agents.open();
  const asked: Asked[] = [];
  const notes: string[] = [];
  const absent: string[] = [];
  try {
    const agent = await agents.prepare("first.py");
    const echo = agents.spawn([agents.python.path, "-s", "-B", join(import.meta.dirname, "agents", "echo.py")], {});
    asked.push(unboxed("echo", echo, new Talk(echo)));
    for (const name of ["bare", "bare, again"]) {
      const bare = agents.bare();
      const talk = new Talk(bare);
      asked.push(unboxed(name, bare, talk));
      await firstAnswer(talk, questions, agent.dir);
    }
    for (const runtime of ["crun", "runc", "runsc"] satisfies Runtime[]) {
      const why = missing(runtime);
      if (why === undefined) asked.push(await boxed(agents, agent, runtime));
      else {
        absent.push(runtime);
        notes.push(why);
      }
    }
    const samples = await interleave(
      asked.map(({ contestant }) => contestant),
      ROUNDS,
    );
    const values = Object.fromEntries([...samples].map(([name, of]) => [name, spread(of)]));
    for (const name of absent) values[name] = null;
    const at = (name: string): number | undefined => values[name]?.median;
    const ratio = (a: number | undefined, b: number | undefined): number | undefined =>
      a === undefined || b === undefined ? undefined : a / b;
    const times = (value: number): string => `${value.toFixed(2)}×`;
    const goals: Goal[] = [
      goal("a question in crun's box beside the bare runner", ratio(at("crun"), at("bare")), "≤", NOISE, times),
      goal("a question in runc's box beside the bare runner", ratio(at("runc"), at("bare")), "≤", NOISE, times),
      goal(
        "what the runner adds beside the echo",
        at("bare")! - at("echo")!,
        "≤",
        at("echo")!,
        (us) => `${short(us)} µs`,
      ),
    ];
    notes.push(`A question is ${questions.act().length} bytes of connect-four; the echo gives the same line back.`);
    return { benchmark: "question", figures: [{ what: "question and answer", unit: "µs", values }], goals, notes };
  } finally {
    for (const one of asked) await one.close();
    await agents.close();
  }
}

console.log(JSON.stringify(await main()));
