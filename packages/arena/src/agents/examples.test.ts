import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { noChance } from "@lanista/games/chance";
import { makeEnvironment } from "@lanista/games/environment";
import { environments } from "@lanista/games/registry";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { prepareAgent } from "./prepare.ts";
import { Conversation } from "./testing/conversation.ts";
import { findPythons } from "./testing/interpreters.ts";
import type { PreparedAgent } from "./types.ts";

// Only slowness could make these take long.
vi.setConfig({ testTimeout: 180_000 });

const examples = fileURLToPath(new URL("../../../../examples/agents/", import.meta.url));
const oldest = findPythons().find(({ numpy }) => !numpy)!;
const compiler = spawnSync(process.env.CC ?? "cc", ["--version"]).status === 0;

let workDir: string;
beforeAll(() => {
  workDir = mkdtempSync(join(tmpdir(), "lanista-examples-"));
});
afterAll(() => rmSync(workDir, { recursive: true, force: true }));

const take = (path: string) => prepareAgent(join(examples, path), { workDir });

const converse = ({ language, dir }: PreparedAgent) =>
  new Conversation(language, dir, language === "python" ? oldest.path : undefined);

/** Plays one game between two real processes; gives the winning seat (−1: drawn) and the actions. */
async function play(id: string, options: object, agents: readonly PreparedAgent[], seed: number) {
  const env = makeEnvironment(environments.get(id)!, options as Record<string, unknown>);
  const seats = agents.map(converse);
  try {
    for (const [seat, conversation] of seats.entries())
      expect(
        await conversation.start({
          seat,
          seed: 2 * seed + seat,
          env: { id, version: 1, options: env.options },
          entry: agents[seat]!.entry,
          actions: env.info.actions,
          observationSpace: env.info.observation,
        }),
      ).toEqual({ type: "ready", protocol: 1 });
    const state = env.newState();
    env.reset(state, noChance);
    const seen = new Float64Array(env.observationSize());
    const mask = new Uint8Array(env.info.actions);
    const actions: number[] = [];
    while (!env.ended(state)) {
      const seat = env.seatToAct(state);
      env.observe(state, seat, seen);
      env.mask(state, seat, mask);
      const { action, error } = await seats[seat]!.ask({ observation: [...seen], mask: [...mask] });
      expect(error).toBeUndefined();
      expect(env.isLegal(state, seat, action!), `${agents[seat]!.name} played ${action}`).toBe(true);
      env.step(state, action!, state, noChance);
      actions.push(action!);
    }
    return { winner: [0, 1].findIndex((seat) => env.reward(state, seat) === 1), actions };
  } finally {
    for (const conversation of seats) {
      conversation.kill();
      await conversation.ended;
    }
  }
}

/** How many of six games, three in each seat, the first agent wins. */
async function wins(id: string, options: object, first: PreparedAgent, second: PreparedAgent): Promise<number> {
  let count = 0;
  for (let seed = 1; seed <= 3; seed++) {
    count += (await play(id, options, [first, second], seed)).winner === 0 ? 1 : 0;
    count += (await play(id, options, [second, first], seed + 10)).winner === 1 ? 1 : 0;
  }
  return count;
}

describe.each([
  ["python", "py"],
  ["javascript", "mjs"],
])("examples in %s", (folder, ending) => {
  describe.each([
    ["hex", { size: 5 }],
    ["connect-four", {}],
  ])("%s", (id, options) => {
    const agent = (name: string) => take(`${folder}/${name === "random" ? "" : `${id}/`}${name}.${ending}`);

    test("greedy beats random", async () => {
      expect(await wins(id, options, await agent("greedy"), await agent("random"))).toBeGreaterThanOrEqual(5);
    });

    test("search beats greedy", async () => {
      expect(await wins(id, options, await agent("search"), await agent("greedy"))).toBeGreaterThanOrEqual(5);
    });

    test("one seed gives one game, another seed another", async () => {
      const pair = [await agent("search"), await agent("greedy")];
      const first = await play(id, options, pair, 1);
      expect(await play(id, options, pair, 1)).toEqual(first);
      const others = await Promise.all([2, 3, 4].map((seed) => play(id, options, pair, seed)));
      expect(others.some(({ actions }) => actions.join() !== first.actions.join())).toBe(true);
    });
  });

  test("search plays hex with the swap, and other sizes of both boards", async () => {
    const hex = await take(`${folder}/hex/search.${ending}`);
    const four = await take(`${folder}/connect-four/search.${ending}`);
    await play("hex", { size: 3, swap: true }, [hex, hex], 1);
    await play("hex", { size: 2 }, [hex, hex], 1);
    await play("connect-four", { rows: 4, columns: 5 }, [four, four], 1);
    await play("connect-four", { rows: 10, columns: 9 }, [four, await take(`${folder}/random.${ending}`)], 1);
  });
});

test.each(["python/hex/search.py", "javascript/hex/search.mjs"])(
  "%s takes over a first stone in the middle, and no other",
  async (path) => {
    const agent = await take(path);
    const seat = converse(agent);
    const env = { id: "hex", version: 1, options: { size: 4, swap: true } };
    const shape = { type: "Box", shape: [4, 4, 2], dtype: "int8", low: 0, high: 1 } as const;
    await seat.start({ seat: 1, entry: agent.entry, env, actions: 17, observationSpace: shape });
    const swaps: number[] = [];
    for (let stone = 0; stone < 16; stone++) {
      const observation = Array.from({ length: 32 }, (_, i) => (i === 2 * stone + 1 ? 1 : 0));
      const mask = Array.from({ length: 17 }, (_, i) => (i === stone ? 0 : 1));
      if ((await seat.ask({ observation, mask, episode: stone })).action === 16) swaps.push(stone);
    }
    expect(swaps).toEqual([5, 6, 9, 10]);
    await seat.close();
  },
);

test("the shell's random agent plays every sequential two-seat board to its end", async () => {
  const shell = await take("sh/random");
  for (const id of ["hex", "connect-four", "tic-tac-toe", "othello"]) await play(id, {}, [shell, shell], 7);
});

test.skipIf(!compiler)("the agent in C beats greedy at hex, and refuses another game", async () => {
  const out = join(workDir, "c-hex");
  execFileSync("sh", [join(examples, "c/hex/build.sh"), out], { stdio: "pipe" });
  const agent = await prepareAgent(out, { workDir });
  expect(agent.language).toBe("executable");
  const greedy = await take("python/hex/greedy.py");
  expect(await wins("hex", { size: 6 }, agent, greedy)).toBeGreaterThanOrEqual(5);
  const conversation = new Conversation("executable", agent.dir);
  expect(await conversation.start()).toMatchObject({ id: null, error: expect.stringContaining("hex") });
  await conversation.close();
});
