/**
 * Plays one environment at random, in a process of its own: a process that plays several has V8 compile the loop for all
 * of them, which is slower and is not how a match, a search or a trainer runs.
 * Arguments: the environment's id, its options as JSON, and how a legal action is found: until-legal or mask.
 * Then one JSON line {"seconds": S} asks for a measurement, as with the peers.
 */
import { createInterface } from "node:readline";
import { noChance, SeededChance } from "@lanista/games/chance";
import { type Environment, makeEnvironment, type State } from "@lanista/games/environment";
import { environments } from "@lanista/games/registry";
import type { PlayerAnswer } from "./lib/player.ts";

/** Xorshift32: what picks the moves should cost little beside making them. */
class Picker {
  #x = 0x9e3779b9 | 0;

  /** In 0 … n − 1. */
  below(n: number): number {
    let x = this.#x;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#x = x;
    return Math.floor(((x >>> 0) / 4294967296) * n);
  }
}

type Pick = (env: Environment, state: State, seat: number) => number;

function untilLegal(picker: Picker): Pick {
  return (env, state, seat) => {
    const n = env.info.actions;
    let action = picker.below(n);
    while (!env.isLegal(state, seat, action)) action = picker.below(n);
    return action;
  };
}

function fromMask(picker: Picker, actions: number): Pick {
  const mask = new Uint8Array(actions);
  const legal = new Int32Array(actions + 1);
  return (env, state, seat) => {
    env.mask(state, seat, mask);
    let count = 0;
    // No branch on the mask: its bits are random, and each wrong guess of the processor's costs more than a write.
    for (let action = 0; action < actions; action++) {
      legal[count] = action;
      count += mask[action]!;
    }
    return legal[picker.below(count)]!;
  };
}

const [id, options, how] = process.argv.slice(2) as [string, string, string];
const env = makeEnvironment(environments.get(id)!, JSON.parse(options));
const chance = env.info.chance ? SeededChance.fromSeed(1) : noChance;
const picker = new Picker();
const pick = how === "mask" ? fromMask(picker, env.info.actions) : untilLegal(picker);
const state = env.newState();

function play(seconds: number): PlayerAnswer {
  const start = performance.now();
  const startCpu = process.cpuUsage();
  let steps = 0;
  let games = 0;
  do {
    for (let game = 0; game < 16; game++) {
      env.reset(state, chance);
      while (!env.ended(state)) {
        env.step(state, pick(env, state, env.seatToAct(state)), state, chance);
        steps++;
      }
    }
    games += 16;
  } while (performance.now() - start < seconds * 1000);
  const { user, system } = process.cpuUsage(startCpu);
  return { steps, games, seconds: (performance.now() - start) / 1000, cpuSeconds: (user + system) / 1e6 };
}

console.log('"ready"');
for await (const line of createInterface({ input: process.stdin }))
  console.log(JSON.stringify(play(JSON.parse(line).seconds)));
