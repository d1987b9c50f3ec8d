import { noChance } from "../src/chance.ts";
import type { Environment, State } from "../src/environment.ts";

/**
 * The number of sequences of exactly `depth` legal actions from the first state, of a sequential environment without
 * chance. Games that end earlier are not counted (as usual with perft; some tables for Othello count them).
 */
export function perft(env: Environment, depth: number): number {
  const states = Array.from({ length: depth + 1 }, () => env.newState());
  const masks = states.map(() => new Uint8Array(env.info.actions));
  env.reset(states[0]!, noChance);
  const count = (ply: number): number => {
    const state = states[ply]!;
    if (ply === depth) return 1;
    if (env.ended(state)) return 0;
    const mask = masks[ply]!;
    env.mask(state, env.seatToAct(state), mask);
    let leaves = 0;
    for (let action = 0; action < mask.length; action++) {
      if (mask[action] === 0) continue;
      env.step(state, action, states[ply + 1]!, noChance);
      leaves += count(ply + 1);
    }
    return leaves;
  };
  return count(0);
}

/** How many different states there are after exactly `plies` actions, as `key` tells them apart. */
export function distinctStates(env: Environment, plies: number, key: (state: State) => string): number {
  const first = env.newState();
  env.reset(first, noChance);
  let level = new Map([[key(first), first]]);
  const mask = new Uint8Array(env.info.actions);
  for (let ply = 0; ply < plies; ply++) {
    const next = new Map<string, State>();
    for (const state of level.values()) {
      if (env.ended(state)) continue;
      env.mask(state, env.seatToAct(state), mask);
      for (let action = 0; action < mask.length; action++) {
        if (mask[action] === 0) continue;
        const child = env.newState();
        env.step(state, action, child, noChance);
        next.set(key(child), child);
      }
    }
    level = next;
  }
  return level.size;
}

/** How many complete games there are: sequences of legal actions from the first state to an end. */
export function completeGames(env: Environment): number {
  const states: State[] = [];
  const count = (ply: number): number => {
    const state = states[ply]!;
    if (env.ended(state)) return 1;
    if (states.length === ply + 1) states.push(env.newState());
    const child = states[ply + 1]!;
    const seat = env.seatToAct(state);
    let games = 0;
    for (let action = 0; action < env.info.actions; action++) {
      if (!env.isLegal(state, seat, action)) continue;
      env.step(state, action, child, noChance);
      games += count(ply + 1);
    }
    return games;
  };
  const first = env.newState();
  env.reset(first, noChance);
  states[0] = first;
  return count(0);
}
