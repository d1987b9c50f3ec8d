/**
 * Matches of connect-four between two trivial Python agents that move at random: ours with every agent in a fresh crun box,
 * kaggle-environments' ConnectX in its own process with nothing isolated. Whole matches a second, one after the other and
 * two at a time and from a pool of warm boxes, and steps a second within one match of many episodes, with its starts and ends.
 */
import type { Contender } from "@lanista/arena/contender";
import { playMatch } from "@lanista/arena/match";
import { connectFour } from "@lanista/games/connect-four";
import { makeEnvironment } from "@lanista/games/environment";
import { Agents, missing } from "./lib/agents.ts";
import { type Figure, goal, type Report, short, spread } from "./lib/figures.ts";
import { Player } from "./lib/player.ts";
import { type Contestant, interleave, scaled } from "./lib/rounds.ts";

const ROUNDS = scaled(7);
const MATCHES = 16;
/** Boxes kept warm; so many of those that a round uses were started before it, and it uses two a match. */
const WARM = 2;
const LONG_ROUNDS = scaled(5);
const EPISODES = 200;
const PEER_SECONDS = 1;

const env = makeEnvironment(connectFour);
let seed = 0;

/** Plays one match; returns its steps. Throws an Error on a match that did not come to its end. */
async function match(contender: Contender, episodes: number): Promise<number> {
  const { result } = await playMatch({ env, contenders: [contender, contender], seed: ++seed, episodes });
  if (result.outcome.kind !== "completed") throw new Error(`a match ended as ${JSON.stringify(result.outcome)}`);
  return result.steps;
}

async function main(): Promise<Report> {
  const why = missing("crun");
  if (why !== undefined) return { benchmark: "matches", figures: [], goals: [], notes: [why] };
  const agents = await Agents.open();
  const kaggle = await Player.peer("kaggle_play.py");
  try {
    const contender = agents.contender(await agents.prepare("random.py"), "crun");
    const pooled = agents.contender(await agents.prepare("random.py"), "crun", WARM);
    const inLanes = async (who: Contender, lanes: number): Promise<number> => {
      const began = performance.now();
      let left = MATCHES;
      const lane = async (): Promise<void> => {
        while (left-- > 0) await match(who, 1);
      };
      await Promise.all(Array.from({ length: lanes }, lane));
      return MATCHES / ((performance.now() - began) / 1000);
    };
    const theirs = (name: string, what: string, per: "games" | "steps"): Contestant[] => {
      if (kaggle === undefined) return [];
      const run = async (): Promise<number> => {
        const answer = await kaggle.ask({ what, seconds: PEER_SECONDS });
        return answer[per] / answer.seconds;
      };
      return [{ name, run }];
    };
    const quick = await interleave(
      [
        { name: "one at a time", run: () => inLanes(contender, 1) },
        { name: "two at a time", run: () => inLanes(contender, 2) },
        { name: "one at a time, warm", run: () => inLanes(pooled, 1) },
        ...theirs("kaggle", "fresh", "games"),
        ...theirs("kaggle, reused", "reused", "games"),
      ],
      ROUNDS,
    );
    const long = await interleave(
      [
        {
          name: "one at a time",
          run: async () => {
            const began = performance.now();
            const steps = await match(contender, EPISODES);
            return steps / ((performance.now() - began) / 1000);
          },
        },
        ...theirs("kaggle", "fresh", "steps"),
        ...theirs("kaggle, reused", "reused", "steps"),
      ],
      LONG_ROUNDS,
    );
    const figure = (what: string, unit: string, samples: ReadonlyMap<string, readonly number[]>): Figure => {
      const values = Object.fromEntries([...samples].map(([name, of]) => [name, spread(of)]));
      if (kaggle === undefined) values.kaggle = null;
      return { what, unit, values };
    };
    const matches = figure("connect-four, a fresh box for each agent", "matches/s", quick);
    const steps = figure(`connect-four, one match of ${EPISODES} episodes`, "steps/s", long);
    const ratio = ({ values }: Figure, ours: string): number | undefined =>
      values.kaggle == null ? undefined : values[ours]!.median / values.kaggle.median;
    const times = (value: number): string => `${short(value)}×`;
    return {
      benchmark: "matches",
      figures: [matches, steps],
      goals: [
        goal("matches/s, one at a time, beside kaggle's", ratio(matches, "one at a time"), "≥", 1, times),
        goal("matches/s, two at a time, beside kaggle's", ratio(matches, "two at a time"), "≥", 1, times),
        goal(
          `steps/s in one match of ${EPISODES} episodes, beside kaggle's`,
          ratio(steps, "one at a time"),
          "≥",
          10,
          times,
        ),
      ],
      notes: [
        "“Reused” plays again in one environment, which kaggle's users seldom do; the goals are beside a fresh one.",
      ],
    };
  } finally {
    kaggle?.close();
    await agents.close();
  }
}

console.log(JSON.stringify(await main()));
