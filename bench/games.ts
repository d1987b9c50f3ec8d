/**
 * Random legal play through the base `step`, in place, on one core: how many steps a second each environment makes.
 * Choosing the action is included. Prints one JSON document.
 *
 * Usage: node bench/games.ts [SECONDS for each environment]
 */
import { execFileSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { SeededChance } from "@lanista/games/chance";
import { type Environment, makeEnvironment, type State } from "@lanista/games/environment";
import { environments } from "@lanista/games/registry";

const CASES: readonly [id: string, options: { readonly [name: string]: unknown }][] = [
  ["hex", { size: 9 }],
  ["hex", { size: 11 }],
  ["connect-four", {}],
  ["tic-tac-toe", {}],
  ["othello", {}],
  ["pong", {}],
  ["rock-paper-scissors", {}],
  ["kuhn-poker", {}],
  ["frozen-lake", {}],
  ["cart-pole", {}],
];
/** Between two looks at the clock. */
const EPISODES = 200;

/** A small generator for choosing actions (Marsaglia's xorshift32), so that it is the environment that is measured. */
function chooser(seed: number): (n: number) => number {
  let x = seed;
  return (n) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    // The high part of a 32-bit product is uniform enough here, and quicker than a remainder.
    return Math.floor((x >>> 0) * (n / 4294967296));
  };
}

/** A legal action of the seat, each as likely as the others: drawn until it is legal, which needs no mask. */
function pick(env: Environment, state: State, seat: number, choose: (n: number) => number): number {
  const n = env.info.actions;
  let action = choose(n);
  while (!env.isLegal(state, seat, action)) action = choose(n);
  return action;
}

function play(env: Environment, seconds: number): { steps: number; episodes: number; seconds: number } {
  const chance = SeededChance.fromSeed(1);
  const choose = chooser(88172645);
  const state = env.newState();
  const actions = new Array<number>(env.info.seats).fill(0);
  let steps = 0;
  let episodes = 0;
  const began = performance.now();
  while (performance.now() - began < 1000 * seconds) {
    for (let i = 0; i < EPISODES; i++) {
      env.reset(state, chance);
      while (!env.ended(state)) {
        const seat = env.seatToAct(state);
        if (seat >= 0) {
          env.step(state, pick(env, state, seat, choose), state, chance);
        } else {
          for (let each = 0; each < actions.length; each++) actions[each] = pick(env, state, each, choose);
          env.stepJoint(state, actions, state, chance);
        }
      }
      steps += env.steps(state);
    }
    episodes += EPISODES;
  }
  return { steps, episodes, seconds: (performance.now() - began) / 1000 };
}

/** One case, measured after a warm-up. CPU time tells what a busy machine took away. */
function measure([id, options]: (typeof CASES)[number], seconds: number) {
  const env = makeEnvironment(environments.get(id)!, options);
  play(env, seconds / 4);
  const before = process.cpuUsage();
  const done = play(env, seconds);
  const { user, system } = process.cpuUsage(before);
  return {
    env: id,
    options,
    stepsPerSecond: Math.round(done.steps / done.seconds),
    stepsPerCpuSecond: Math.round(done.steps / ((user + system) / 1e6)),
    stepsPerEpisode: Math.round((10 * done.steps) / done.episodes) / 10,
  };
}

const seconds = Number(process.argv[2] ?? 2);
const only = process.argv[3];
if (only !== undefined) console.log(JSON.stringify(measure(CASES[Number(only)]!, seconds)));
else {
  // A process for each, so that what one environment taught the compiler does not slow another down.
  const results = CASES.map((_, index) =>
    JSON.parse(
      execFileSync(process.execPath, [import.meta.filename, String(seconds), String(index)], { encoding: "utf8" }),
    ),
  );
  console.log(
    JSON.stringify({ bench: "games", node: process.version, cpus: availableParallelism(), results }, null, 2),
  );
}
