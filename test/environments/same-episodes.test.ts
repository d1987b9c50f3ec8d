/** An environment in a box gives the very episodes that it gives in process: observations, masks, rewards and ends, bit for bit. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { episodeSeed } from "@lanista/arena/bundled/boxed-episodes";
import type { BundledSource } from "@lanista/arena/bundled/environment-boxes";
import { takeBundledEnvironment } from "@lanista/arena/bundled/take";
import { type Action, elements, INTEGRAL, partsOf, type Space, type Text } from "@lanista/arena/episodes/spaces";
import { SeededChance } from "@lanista/games/chance";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LIBRARIES, Workplace } from "./support.ts";

let work: Workplace;
beforeAll(async () => {
  work = await Workplace.open();
});
afterAll(() => work.close());

const EPISODES = 4;
const chance = (episode: number): SeededChance => SeededChance.fromSeed(11).split(episode);

/** The rule that in_process.py follows, too. */
function choose(space: Space, mask: Uint8Array | undefined, step: number): Action {
  switch (space.type) {
    case "Discrete": {
      const legal = Array.from({ length: space.n }, (_, i) => i).filter((i) => mask === undefined || mask[i] === 1);
      return (space.start ?? 0) + legal[(step * 7 + 3) % legal.length]!;
    }
    case "Text":
      return textOf(space, step);
    case "Tuple":
    case "Dict":
      return partsOf(space).map((one, i) => choose(one, undefined, step + i));
    case "MultiDiscrete":
      return space.nvec.map((n, i) => (step + i) % n);
    case "MultiBinary":
      return Array.from({ length: elements(space.shape) }, (_, i) => (step + i) % 2);
    case "Box": {
      const side = (bound: number | readonly number[], i: number): number =>
        typeof bound === "number" ? bound : bound[i]!;
      const part = ((step * 37) % 101) / 101;
      return Array.from({ length: elements(space.shape) }, (_, i) => {
        const low = side(space.low, i);
        const value = low + (side(space.high, i) - low) * part;
        return INTEGRAL.has(space.dtype) ? Math.trunc(value) : value;
      });
    }
  }
}

function textOf({ min_length: least = 0, max_length: most, charset }: Text, step: number): string {
  const characters = [...charset!];
  const length = least + (step % (most - least + 1));
  return Array.from({ length }, (_, i) => characters[(step + i) % characters.length]).join("");
}

async function inBox(source: BundledSource, most: number): Promise<unknown[]> {
  const records: unknown[] = [];
  const episodes = await source.open();
  try {
    for (let episode = 0; episode < EPISODES; episode++) {
      await episodes.reset(chance(episode));
      const unseen = source.views.map(() => 0);
      while (episodes.end === null && episodes.steps < most) {
        const alone = (episodes.actors & (episodes.actors - 1)) === 0;
        const actions = source.views.map(({ action }, seat) => {
          if ((episodes.actors & (1 << seat)) === 0) return null;
          const mask = episodes.mask(seat);
          records.push([
            seat,
            JSON.parse(episodes.observation(seat)),
            mask === undefined ? null : [...mask],
            unseen[seat],
          ]);
          unseen[seat] = 0;
          const chosen = episodes.legal(seat, choose(action, mask, episodes.steps + (alone ? 0 : seat)));
          expect(chosen).not.toBeNull();
          return chosen;
        });
        await episodes.step(actions);
        for (const seat of unseen.keys()) unseen[seat]! += episodes.reward(seat);
      }
      records.push(["end", episodes.end ?? "truncated", unseen]);
    }
    return records;
  } finally {
    await episodes.close();
  }
}

function inProcess(source: BundledSource, most: number): unknown[] {
  const { manifest, dir } = source.environment;
  const seeds = Array.from({ length: EPISODES }, (_, episode) => episodeSeed(chance(episode), manifest.seedBits));
  const { entry, api, kwargs } = manifest;
  const asked = JSON.stringify({ entry, api, kwargs: { ...kwargs, ...source.options }, dir, seeds, most });
  const script = join(import.meta.dirname, "in_process.py");
  const told = execFileSync(join(LIBRARIES!, "bin", "python"), ["-W", "ignore", "-B", script, asked], {
    encoding: "utf8",
    env: { ...process.env, PYTHONHASHSEED: "0" },
  });
  return told
    .split("\n")
    .filter((line) => line.startsWith("["))
    .map((line) => JSON.parse(line));
}

const registered = (api: string, entry: string, more = ""): Record<string, string> => ({
  "environment.yaml": `environment: 1\nid: given\nentry: ${entry}\napi: ${api}\n${more}`,
});
const own = (name: string): string => join(import.meta.dirname, "bundles", name);

describe.skipIf(LIBRARIES === null)("the same episodes as in process", () => {
  test.each<[string, Record<string, string> | string]>([
    ["cart-pole", registered("gymnasium", "gymnasium:CartPole-v1")],
    ["frozen-lake", registered("gymnasium", "gymnasium:FrozenLake-v1", "kwargs: {map_name: 8x8, render_mode: ansi}\n")],
    ["blackjack", registered("gymnasium", "gymnasium:Blackjack-v1", "kwargs: {sab: true}\nseed_bits: 32\n")],
    ["taxi", registered("gymnasium", "gymnasium:Taxi-v4")],
    ["pendulum, whose actions are floats", registered("gymnasium", "gymnasium:Pendulum-v1")],
    ["every kind of space", own("kitchen")],
    ["actions of parts and texts", own("pantry")],
    ["tic-tac-toe, with masks", registered("pettingzoo-aec", "pettingzoo.classic.tictactoe_v3:env")],
    ["rock-paper-scissors in turn", registered("pettingzoo-aec", "pettingzoo.classic.rps_v2:env")],
    ["rock-paper-scissors together", registered("pettingzoo-parallel", "pettingzoo.classic.rps_v2:parallel_env")],
    ["seats that go before the others", own("duel")],
  ])("%s", async (_, files) => {
    const bundle =
      typeof files === "string"
        ? await takeBundledEnvironment(files, join(work.dir, "taken"))
        : await work.bundle(files);
    const source = await (await work.boxes()).source(bundle);
    try {
      const boxed = await inBox(source, 60);
      expect(boxed.filter((record) => (record as unknown[])[0] === "end")).toHaveLength(EPISODES);
      expect(boxed).toEqual(inProcess(source, 60));
    } finally {
      await source.close();
    }
  });

  test("also in a second box, and others for another seed", async () => {
    const source = await (await work.boxes()).source(
      await takeBundledEnvironment(own("kitchen"), join(work.dir, "taken")),
    );
    try {
      const seen = async (seed: number): Promise<string> => {
        const episodes = await source.open();
        try {
          await episodes.reset(SeededChance.fromSeed(seed));
          const first = episodes.observation(0);
          await episodes.step([[0.5, 0.5]]);
          return `${first} ${episodes.reward(0)} ${episodes.observation(0)}`;
        } finally {
          await episodes.close();
        }
      };
      const [one, same, other] = [await seen(1), await seen(1), await seen(2)];
      expect(same).toBe(one);
      expect(other).not.toBe(one);
    } finally {
      await source.close();
    }
  });
});
