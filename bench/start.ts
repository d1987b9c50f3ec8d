/**
 * From the wish for an agent to its first answer: fresh boxes beside a bare process, warm boxes, and a hundred at once.
 *
 * The bare process is the same runner, interpreter and agent, spawned by the same Node, with nothing around it. In boxes
 * everything is on that is on in a match, and the agent's files are copied in before `start`, as a match does it.
 */
import type { PreparedAgent } from "@lanista/arena/agents/types";
import type { Contender } from "@lanista/arena/contender";
import type { Runtime } from "@lanista/sandbox/types";
import { Agents, missing } from "./lib/agents.ts";
import { type Figure, type Goal, goal, median, percentile, type Report, short, spread } from "./lib/figures.ts";
import { type Contestant, interleave, scaled } from "./lib/rounds.ts";
import { firstAnswer, Questions, Talk } from "./lib/talk.ts";

const ROUNDS = scaled(30);
/** gVisor takes several times as long as all others together. */
const SLOW_ROUNDS = scaled(8);
const POOL_TAKES = scaled(60);
const POOL_SIZE = 3;
/** How long the pool is left to make warm boxes again; the boxes give no sign when their runner waits. */
const POOL_REST_MS = 250;
const BURST = 100;

const questions = new Questions();
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const milliseconds = (value: number): string => `${short(value)} ms`;

async function bareStart(agents: Agents, agent: PreparedAgent): Promise<number> {
  const began = performance.now();
  const child = agents.bare();
  const gone = new Promise((resolve) => child.once("close", resolve));
  await firstAnswer(new Talk(child), questions, agent.dir);
  const took = performance.now() - began;
  child.kill("SIGKILL");
  await gone;
  return took;
}

/** `inTime`: what the sample is; the box is ended, and its end awaited, outside of it. */
async function boxedStart(contender: Contender): Promise<number> {
  const began = performance.now();
  const sandbox = await contender.open();
  sandbox.stderr.resume();
  try {
    const first = firstAnswer(new Talk(sandbox), questions, sandbox.agentPath);
    const early = sandbox.ended.then(({ cause }) => {
      throw new Error(`a box ended before its first answer: ${JSON.stringify(cause)}`);
    });
    await Promise.race([first, early]);
    return performance.now() - began;
  } finally {
    sandbox.kill("measured");
    await sandbox.ended.catch(() => {});
  }
}

async function freshStarts(agents: Agents, agent: PreparedAgent, notes: string[]): Promise<Figure> {
  const run = new Map<string, Contestant>();
  run.set("bare", { name: "bare", run: () => bareStart(agents, agent) });
  const absent: string[] = [];
  for (const runtime of ["crun", "runc", "runsc"] satisfies Runtime[]) {
    const why = missing(runtime);
    if (why === undefined) {
      const contender = agents.contender(agent, runtime);
      run.set(runtime, { name: runtime, run: () => boxedStart(contender) });
    } else {
      absent.push(runtime);
      notes.push(why);
    }
  }
  const quick = [...run.values()].filter(({ name }) => name !== "runsc");
  const slow = [...run.values()].filter(({ name }) => name === "runsc");
  const samples = [...(await interleave(quick, ROUNDS)), ...(await interleave(slow, SLOW_ROUNDS))];
  const values = Object.fromEntries(samples.map(([name, of]) => [name, spread(of)]));
  for (const name of absent) values[name] = null;
  return { what: "start to first answer", unit: "ms", values };
}

async function warmStarts(agents: Agents, agent: PreparedAgent): Promise<number[]> {
  const contender = agents.contender(agent, "crun", POOL_SIZE);
  const samples: number[] = [];
  // The first is not warm: its pool is made for it.
  for (let take = 0; take <= POOL_TAKES; take++) {
    const took = await boxedStart(contender);
    if (take > 0) samples.push(took);
    await sleep(POOL_REST_MS);
  }
  return samples;
}

/** All at once; each sample is the time from the one beginning to that box's first answer. Throws if one fails. */
async function burst(agents: Agents, agent: PreparedAgent): Promise<number[]> {
  const contender = agents.contender(agent, "crun");
  return Promise.all(Array.from({ length: BURST }, () => boxedStart(contender)));
}

async function main(): Promise<Report> {
  const agents = await Agents.open();
  const notes: string[] = [];
  const figures: Figure[] = [];
  const goals: Goal[] = [];
  try {
    const agent = await agents.prepare("first.py");
    const fresh = await freshStarts(agents, agent, notes);
    figures.push(fresh);
    const { bare, crun } = fresh.values;
    const added = crun == null ? undefined : crun.median - bare!.median;
    goals.push(goal("crun's start beyond the bare runner's", added, "≤", 25, milliseconds));
    if (crun != null) {
      const warm = await warmStarts(agents, agent);
      figures.push({ what: "from the pool to the first answer", unit: "ms", values: { crun: spread(warm) } });
      goals.push(goal("from the pool, p50", median(warm), "≤", 5, milliseconds));
      const all = await burst(agents, agent);
      const at = (p: number): string => milliseconds(percentile(all, p));
      figures.push({ what: `${BURST} starts at once`, unit: "ms", values: { crun: spread(all) } });
      goals.push({
        what: `${BURST} starts at once`,
        bound: "all succeed",
        is: `all; p50 ${at(0.5)}, p95 ${at(0.95)}, p99 ${at(0.99)}`,
        met: true,
      });
    }
  } finally {
    await agents.close();
  }
  return { benchmark: "start", figures, goals, notes };
}

console.log(JSON.stringify(await main()));
