/**
 * Records the golden replays of this folder anew, from matches between small scripted agents in processes without walls:
 *   npx node --conditions=lanista-source test/replays/record.ts
 * Only to be done when a format or an environment's version changes; the hashes must not change otherwise.
 */
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { playMatch } from "@lanista/arena/match";
import type { MatchRequest } from "@lanista/arena/match-plan";
import { Stage } from "@lanista/arena/testing/scripted";
import { makeEnvironment } from "@lanista/games/environment";
import { environments } from "@lanista/games/registry";

/** Draws from its own seed alone. */
const RANDOM = `
import random
start = ready()
draw = random.Random(start["seed"])
for q in questions():
    mask = q.get("action_mask")
    answer(q, draw.choice([i for i, bit in enumerate(mask) if bit]) if mask else draw.randrange(start["action_space"]["n"]))`;
const SLOW = RANDOM.replace("answer(q,", "time.sleep(draw.random() / 30); answer(q,");
const ERRING = RANDOM.replace("answer(q,", "answer(q, 999) if q['step'] % 5 == 0 else answer(q,");
const LEAVER = RANDOM.replace("mask =", "sys.exit(0) if q['step'] > 8 else None\n    mask =");
const FOLLOWER = `
ready()
for q in questions():
    ball, own = q["observation"][1], q["observation"][5]
    answer(q, 0 if ball < own - 0.03 else 2 if ball > own + 0.03 else 1)`;
const PUSHER = `
ready()
for q in questions(): answer(q, 1 if q["observation"][2] + q["observation"][3] > 0 else 0)`;

interface Golden extends Partial<MatchRequest> {
  readonly env: never;
  readonly agents: readonly (readonly [name: string, script: string])[];
}

const options = (id: string, given = {}): never => makeEnvironment(environments.get(id)!, given) as never;
const two = (a: string, b: string) => [["Ada", a] as const, ["Björn", b] as const];

const goldens: Readonly<Record<string, Golden>> = {
  hex: { env: options("hex", { size: 7, swap: true }), agents: two(SLOW, RANDOM), seed: 1 },
  "connect-four": { env: options("connect-four"), agents: two(RANDOM, SLOW), seed: 2, episodes: 3 },
  "tic-tac-toe": { env: options("tic-tac-toe"), agents: two(RANDOM, ERRING), seed: 3, onFault: "random", episodes: 2 },
  othello: { env: options("othello"), agents: two(SLOW, RANDOM), seed: 4 },
  "othello-forfeit": { env: options("othello"), agents: two(RANDOM, LEAVER), seed: 5 },
  breakthrough: { env: options("breakthrough"), agents: two(RANDOM, RANDOM), seed: 11 },
  pong: { env: options("pong", { max_steps: 200 }), agents: two(RANDOM, FOLLOWER), seed: 6 },
  "rock-paper-scissors": { env: options("rock-paper-scissors"), agents: two(RANDOM, RANDOM), seed: 7 },
  "kuhn-poker": {
    env: options("kuhn-poker"),
    agents: two("ready()\nfor q in questions(): answer(q, 1)", RANDOM),
    seed: 8,
    episodes: 5,
  },
  "leduc-poker": { env: options("leduc-poker"), agents: two(RANDOM, RANDOM), seed: 12, episodes: 5 },
  blackjack: { env: options("blackjack"), agents: [["Ada", RANDOM]], seed: 13, episodes: 10 },
  "frozen-lake": { env: options("frozen-lake"), agents: [["Ada", RANDOM]], seed: 9, episodes: 3 },
  taxi: {
    env: options("taxi", { is_rainy: true, fickle_passenger: true, action_mask: true }),
    agents: [["Ada", RANDOM]],
    seed: 14,
  },
  "cart-pole": { env: options("cart-pole"), agents: [["Ada", PUSHER]], seed: 10 },
};

const stage = await Stage.open();
try {
  for (const [name, { agents, ...request }] of Object.entries(goldens)) {
    const contenders = agents.map(([agent, script]) => stage.agent(agent, script));
    const { result } = await playMatch({
      ...request,
      contenders,
      replay: join(stage.dir, `${name}.jsonl`),
    });
    await copyFile(result.replay.file!, join(import.meta.dirname, `${name}.jsonl`));
    console.log(name, result.outcome, result.steps, result.replay.hash);
  }
} finally {
  await stage.close();
}
