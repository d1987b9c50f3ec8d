import { expect, test } from "vitest";
import { readGoldens, replayGoldens } from "../testing/goldens.ts";
import { misprinted } from "../testing/mistakes.ts";
import { blackjack } from "./blackjack.ts";
import { noChance, ScriptedChance, SeededChance } from "./chance.ts";
import { checkEnvironment } from "./conformance.ts";
import { makeEnvironment } from "./environment.ts";

const goldens = readGoldens("blackjack");
const env = makeEnvironment(blackjack);
const [STICK, HIT] = [0, 1] as const;
const [ACE, SIX, TEN, KING] = [0, 5, 9, 12] as const;

/** What is seen at the end of an episode in which these cards are drawn: the dealer's two, the seat's two, then the others. */
function play(cards: readonly number[], actions: readonly number[], options = {}) {
  const one = makeEnvironment(blackjack, options);
  const state = one.newState();
  const chance = new ScriptedChance(cards);
  one.reset(state, chance);
  for (const action of actions) one.step(state, action, state, chance);
  expect([one.terminated(state), chance.taken]).toEqual([true, cards.length]);
  const seen = new Float64Array(3);
  one.observe(state, 0, seen);
  return { reward: one.reward(state, 0), seen: [...seen], text: one.render(state) };
}

test("passes the conformance kit", () => {
  expect(checkEnvironment(blackjack)).toEqual([]);
  expect(checkEnvironment(blackjack, { natural: true, sab: false })).toEqual([]);
});

test("plays as Gymnasium does, with every option", () => {
  expect(new Set(goldens.map((section) => JSON.stringify(section.options))).size).toBe(4);
  expect(replayGoldens(blackjack, goldens)).toEqual([]);
});

test("has room for the longest hands there can be", () => {
  const aces = new Array<number>(20).fill(ACE);
  const hits = new Array<number>(20).fill(HIT);
  const bust = play([SIX, SIX, ACE, ACE, ...aces], hits);
  expect(bust).toMatchObject({ reward: -1, seen: [22, 6, 0] });
  expect(bust.text).toContain(`${"A ".repeat(22)}(22)`);
  const dealer = play([ACE, ACE, TEN, SIX, ACE, ACE, ACE, ACE, SIX, ACE, ACE, ACE, ACE, ACE], [STICK]);
  expect(dealer.reward).toBe(-1);
  expect(dealer.text).toContain("dealer: A A A A A A 6 A A A A A (17)");
});

test.each([
  ["by default", {}, 1, 1],
  ["with natural, which sab overrules", { natural: true }, 1, 1],
  ["without both", { sab: false }, 0, 1],
  ["with natural alone", { natural: true, sab: false }, 0, 1.5],
])("what a natural is worth against 21 of three cards, and against 17, %s", (_name, options, against21, against17) => {
  expect(play([SIX, 3, ACE, TEN, ACE], [STICK], options).reward).toBe(against21);
  expect(play([SIX, KING, ACE, TEN, ACE], [STICK], options).reward).toBe(against17);
  expect(play([KING, ACE, ACE, TEN], [STICK], options).reward).toBe(0);
});

test("the dealer's second card is not seen", () => {
  const seen = new Set<string>();
  const state = env.newState();
  const out = new Float64Array(3);
  for (let card = 0; card < 13; card++) {
    env.reset(state, new ScriptedChance([TEN, card, ACE, SIX]));
    env.observe(state, 0, out);
    seen.add(out.join());
  }
  expect([...seen]).toEqual(["17,10,1"]);
});

test("draws each rank equally often", () => {
  const state = env.newState();
  const chance = SeededChance.fromSeed(1);
  const counts = new Array<number>(11).fill(0);
  const out = new Float64Array(3);
  for (let i = 0; i < 13_000; i++) {
    env.reset(state, chance);
    env.observe(state, 0, out);
    counts[out[1]!]!++;
  }
  // Six standard deviations of a binomial with 13000 draws and p = 1/13: 183; with p = 4/13: 316.
  for (const value of [1, 2, 3, 4, 5, 6, 7, 8, 9]) expect(Math.abs(counts[value]! - 1000)).toBeLessThan(183);
  expect(Math.abs(counts[10]! - 4000)).toBeLessThan(316);
});

test("is written with both hands, for onlookers", () => {
  const state = env.newState();
  env.reset(state, new ScriptedChance([KING, SIX, ACE, 4]));
  expect(env.render(state)).toBe("seat 0: A 5 (soft 16)\ndealer: K 6 (16), the first card is shown");
  env.step(state, HIT, state, new ScriptedChance([TEN]));
  expect(env.render(state)).toBe("seat 0: A 5 10 (16)\ndealer: K 6 (16), the first card is shown");
  expect(() => env.step(state, HIT, state, noChance)).toThrow("free of chance");
});

test.each([
  ["an ace that always counts 1", "+ 10 <= BEST ? 1 : 0", "+ 10 <= BEST ? 0 : 0"],
  ["an ace that always counts 11", "+ 10 <= BEST ? 1 : 0", "+ 10 <= BEST ? 1 : 1"],
  ["an ace that counts 11 up to 20 only", "+ 10 <= BEST", "+ 10 < BEST"],
  ["another card in the ace's place", "if (ints[hand + i] === 0) return", "if (ints[hand + i] === 1) return"],
  ["pictures that count more", "sum += Math.min(ints[hand + i]! + 1, 10);", "sum += ints[hand + i]! + 1;"],
  ["a dealer that stands on 16", "DEALER_STANDS = 17", "DEALER_STANDS = 16"],
  ["a dealer that draws on 17", "< DEALER_STANDS", "<= DEALER_STANDS"],
  ["a dealer that wins over 21", "return sum > BEST ? 0 : sum;", "return sum;"],
  ["21 that loses", "total(ints, SEAT) <= BEST", "total(ints, SEAT) < BEST"],
  ["a natural of three cards", "return ints[hand] === 2 && total", "return total"],
  ["a natural that always wins", "natural && !isNatural(ints, DEALER)", "natural"],
  ["a bonus for every win", "this.#natural && natural ? 1.5", "this.#natural ? 1.5"],
  ["a natural that wins without sab", "this.#sab && natural && ", "natural && "],
  ["the other card of the dealer's shown", "ints[DEALER + 1]! + 1", "ints[DEALER + 2]! + 1"],
  ["the hand that is dealt first", "[DEALER, SEAT]", "[SEAT, DEALER]"],
  ["a draw that loses", "lead < 0 ? -1", "lead <= 0 ? -1"],
])("%s is noticed", async (_name, right, wrong) => {
  expect(replayGoldens(await misprinted("blackjack.ts", right, wrong), goldens)).not.toEqual([]);
});
