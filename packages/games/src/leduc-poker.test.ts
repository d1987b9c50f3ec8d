import { expect, test } from "vitest";
import { readGoldens, replayGoldens } from "../testing/goldens.ts";
import { misprinted } from "../testing/mistakes.ts";
import { noChance, ScriptedChance, SeededChance } from "./chance.ts";
import { checkEnvironment } from "./conformance.ts";
import { type EnvironmentDefinition, makeEnvironment, OWN, type State } from "./environment.ts";
import { leducPoker } from "./leduc-poker.ts";

const goldens = readGoldens("leduc-poker");
const [FOLD, CALL, RAISE] = [0, 1, 2] as const;
/** Where the rules keep the public card; the seats' are before it. */
const PUBLIC = OWN + 2;

test("passes the conformance kit", () => {
  expect(checkEnvironment(leducPoker)).toEqual([]);
});

test("plays as OpenSpiel does, in every deal and every way to bet", () => {
  const episodes = goldens.flatMap((section) => section.episodes);
  expect(new Set(episodes.map(({ statements }) => statements.map(({ actions }) => actions?.[0]).join())).size).toBe(49);
  expect(replayGoldens(leducPoker, goldens)).toEqual([]);
});

/** Every situation in which a seat is to act, and how many ways to an end there are. */
function walk(definition: EnvironmentDefinition, look: (seat: number, state: State, view: string) => void): number {
  const env = makeEnvironment(definition);
  const out = new Float64Array(30);
  let ends = 0;
  /** `script`: what is drawn from the reset on; `actions`: what is played after it. */
  const visit = (script: readonly number[], actions: readonly number[]): void => {
    const state = env.newState();
    const chance = new ScriptedChance(script);
    env.reset(state, chance);
    for (const action of actions) env.step(state, action, state, chance);
    if (env.ended(state)) {
      ends++;
      return;
    }
    for (const seat of [0, 1]) {
      env.observe(state, seat, out);
      look(seat, state, out.join());
    }
    for (const action of [FOLD, CALL, RAISE]) {
      if (!env.isLegal(state, env.seatToAct(state), action)) continue;
      // The public card is drawn where a round's second action, or a later one, calls.
      const first = state.ints[PUBLIC]! < 0 && action === CALL && actions.length > 0;
      for (const drawn of first ? [[0], [1], [2], [3]] : [[]]) visit([...script, ...drawn], [...actions, action]);
    }
  };
  for (let a = 0; a < 6; a++) for (let b = 0; b < 5; b++) visit([a, b], []);
  return ends;
}

// Of 9457 histories in OpenSpiel's tree 5520 are endings; 936 information states are in it.
test("has as many endings and information states as OpenSpiel's tree", () => {
  const seen = new Set<string>();
  const env = makeEnvironment(leducPoker);
  const ends = walk(leducPoker, (seat, state, view) => {
    if (env.seatToAct(state) === seat) seen.add(view);
  });
  expect([ends, seen.size]).toEqual([5520, 936]);
});

/** How many situations look different though a seat can know of no difference between them. */
function leaks(definition: EnvironmentDefinition): number {
  const views = new Map<string, Set<string>>();
  walk(definition, (seat, { ints }, view) => {
    const known = [seat, ints[OWN + seat], ints[PUBLIC], ...ints.subarray(PUBLIC + 1)].join();
    views.set(known, (views.get(known) ?? new Set()).add(view));
  });
  return [...views.values()].filter((one) => one.size > 1).length;
}

test("a view depends on one's own card, the public one and the betting alone", async () => {
  expect(leaks(leducPoker)).toBe(0);
  const wrong = await misprinted(
    "leduc-poker.ts",
    "out[SEATS + ints[CARD + seat]!] = 1;",
    "out[SEATS + ints[CARD + 1 - seat]!] = 1;",
  );
  expect(leaks(wrong)).toBeGreaterThan(0);
});

test.each([
  ["the other's card", "out[SEATS + ints[CARD + seat]!] = 1;", "out[SEATS + ints[CARD + 1 - seat]!] = 1;"],
  ["a pair", "card >> 1 === open >> 1 ?", "card === open ?"],
  ["suits", ": card >> 1;", ": card;"],
  ["a card dealt twice", "skip(chance.below(5), first, CARDS.length)", "chance.below(5)"],
  ["the cards that are left", "Math.min(a, b), Math.max(a, b)", "a, b"],
  ["folding to nothing", "return ints[PAID + 1 - seat]! > ints[PAID + seat]!;", "return true;"],
  ["raises without end", "MOST_RAISES = 2", "MOST_RAISES = 3"],
  ["raises of the round before", "    ints[RAISES] = 0;\n", ""],
  ["the second round's stakes", "ints[ROUND] === 0 ? 2 : 4", "ints[ROUND] === 0 ? 2 : 2"],
  [
    "a raise that does not call first",
    "ints[PAID + seat] = ints[PAID + other]!;",
    "if (action === CALL) ints[PAID + seat] = ints[PAID + other]!;",
  ],
  ["who begins the second round", "    ints[TURN] = 0;\n    ints[ACTORS] = 1;", "    ints[TURN] = 0;"],
  [
    "who wins after a fold",
    "this.#end(state, other, ints[PAID + seat]!)",
    "this.#end(state, seat, ints[PAID + seat]!)",
  ],
  ["what a fold costs", "this.#end(state, other, ints[PAID + seat]!)", "this.#end(state, other, ints[PAID + other]!)"],
  ["a draw", "if (lead === 0) ints[ENDED] = TERMINATED;\n    else ", ""],
  ["where the second round's betting is seen", "ints[BETS + TURNS * ints[ROUND]! + turn]", "ints[BETS + turn]"],
])("a mistake about %s is noticed", async (_name, right, wrong) => {
  expect(replayGoldens(await misprinted("leduc-poker.ts", right, wrong), goldens)).not.toEqual([]);
});

test("deals each of the six cards equally often to each seat and to the table", () => {
  const env = makeEnvironment(leducPoker);
  const state = env.newState();
  const chance = SeededChance.fromSeed(1);
  const counts = [0, 1, 2].map(() => new Array<number>(6).fill(0));
  for (let i = 0; i < 6000; i++) {
    env.reset(state, chance);
    for (const action of [CALL, CALL]) env.step(state, action, state, chance);
    const dealt = state.ints.subarray(OWN, OWN + 3);
    expect(new Set(dealt).size).toBe(3);
    for (const [place, card] of dealt.entries()) counts[place]![card]!++;
  }
  // Six standard deviations of a binomial with 6000 draws and p = 1/6: 173.
  for (const count of counts.flat()) expect(Math.abs(count - 1000)).toBeLessThan(173);
});

test("is written for onlookers with all cards, and what was paid", () => {
  const env = makeEnvironment(leducPoker);
  const state = env.newState();
  const chance = new ScriptedChance([5, 0, 1]);
  env.reset(state, chance);
  expect(env.render(state)).toBe("seat 0: K2, has paid 1\nseat 1: J1, has paid 1\npublic: -\nbetting: - -");
  for (const action of [CALL, RAISE, CALL]) env.step(state, action, state, chance);
  env.step(state, RAISE, state, noChance);
  expect(env.render(state)).toBe("seat 0: K2, has paid 7\nseat 1: J1, has paid 3\npublic: Q1\nbetting: crc r");
});
