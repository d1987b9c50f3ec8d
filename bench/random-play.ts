/**
 * Random legal play on one core, beside OpenSpiel (a loop in Python, its own rollouts in C++), PettingZoo and Gymnasium.
 * Ours with both ways of finding a legal action: choosing from the mask, as the peers do, and drawing until one is legal.
 * Both are uniform over the legal actions; the second asks the rules for less. Steps are counted for each second of CPU time, so that
 * whatever else runs on the machine takes as little part as can be.
 */
import { type Figure, type Goal, goal, type Report, short, spread } from "./lib/figures.ts";
import { Player } from "./lib/player.ts";
import { type Contestant, interleave, scaled } from "./lib/rounds.ts";

const SLICE_SECONDS = 0.12;
const ROUNDS = scaled(7);

const GAMES = [
  { id: "hex", options: { size: 9 }, label: "hex 9×9", atLeast: 2e6 },
  { id: "connect-four", options: {}, label: "connect-four", atLeast: 5e6 },
  { id: "tic-tac-toe", options: {}, label: "tic-tac-toe" },
  { id: "othello", options: {}, label: "othello" },
  { id: "breakthrough", options: {}, label: "breakthrough" },
  { id: "blackjack", options: {}, label: "blackjack" },
  { id: "frozen-lake", options: {}, label: "frozen-lake" },
  { id: "taxi", options: {}, label: "taxi" },
  { id: "cart-pole", options: {}, label: "cart-pole" },
] as const;

const OPEN_SPIEL = ["hex", "connect-four", "tic-tac-toe", "othello", "breakthrough"];

/** Which games each peer plays, and the prefix under which its script knows them. */
const PEERS = [
  { name: "OpenSpiel, C++", script: "open_spiel_play.py", prefix: "c++ ", ids: OPEN_SPIEL },
  { name: "OpenSpiel, Python", script: "open_spiel_play.py", prefix: "python ", ids: OPEN_SPIEL },
  { name: "PettingZoo", script: "pettingzoo_play.py", prefix: "", ids: ["connect-four", "tic-tac-toe"] },
  {
    name: "Gymnasium",
    script: "gymnasium_play.py",
    prefix: "",
    ids: ["blackjack", "frozen-lake", "taxi", "cart-pole"],
  },
] as const;

const contestant = (name: string, player: Player, what?: string): Contestant => ({
  name,
  run: async () => {
    const { steps, cpuSeconds } = await player.ask({ what, seconds: SLICE_SECONDS });
    return steps / cpuSeconds;
  },
});

async function measure(game: (typeof GAMES)[number], peers: ReadonlyMap<string, Player | undefined>): Promise<Figure> {
  const options = JSON.stringify(game.options);
  const byMask = await Player.ours("random-player.ts", game.id, options, "mask");
  const drawn = await Player.ours("random-player.ts", game.id, options, "until-legal");
  const contestants = [contestant("Lanista", byMask), contestant("Lanista, drawn", drawn)];
  const absent: string[] = [];
  for (const { name, script, prefix, ids } of PEERS) {
    if (!(ids as readonly string[]).includes(game.id)) continue;
    const peer = peers.get(script);
    if (peer === undefined) absent.push(name);
    else contestants.push(contestant(name, peer, prefix + game.id));
  }
  const samples = await interleave(contestants, ROUNDS);
  byMask.close();
  drawn.close();
  const values = Object.fromEntries([...samples].map(([name, of]) => [name, spread(of)]));
  for (const name of absent) values[name] = null;
  return { what: `random play, ${game.label}`, unit: "steps/s of CPU time", values };
}

async function main(): Promise<Report> {
  const peers = new Map<string, Player | undefined>();
  for (const { script } of PEERS) if (!peers.has(script)) peers.set(script, await Player.peer(script));
  const figures: Figure[] = [];
  const goals: Goal[] = [];
  for (const game of GAMES) {
    const figure = await measure(game, peers);
    figures.push(figure);
    if ("atLeast" in game)
      goals.push(goal(`${figure.what}, steps/s`, figure.values.Lanista?.median, "≥", game.atLeast, short));
  }
  for (const peer of peers.values()) peer?.close();
  return {
    benchmark: "random-play",
    figures,
    goals,
    notes: [
      "Lanista asks for the mask of all actions at every step and chooses from it; “drawn” draws until an action is legal. Both are uniform.",
      "OpenSpiel, C++ is its random rollouts from the initial position: games a second times the mean length of 1,000 games.",
    ],
  };
}

console.log(JSON.stringify(await main()));
