import { expect, test } from "vitest";
import { readGoldens, replayGoldens } from "../testing/goldens.ts";
import { withMistake } from "../testing/mistakes.ts";
import { noChance, ScriptedChance, SeededChance } from "./chance.ts";
import { checkEnvironment } from "./conformance.ts";
import { type EnvironmentDefinition, makeEnvironment, OWN, type SequentialRules } from "./environment.ts";
import { kuhnPoker } from "./kuhn-poker.ts";

const goldens = readGoldens("kuhn-poker");
const [PASS, BET] = [0, 1] as const;
/** Every way to bet, up to each point of it. */
const BETTINGS = [
  [],
  [PASS],
  [BET],
  [PASS, PASS],
  [PASS, BET],
  [BET, PASS],
  [BET, BET],
  [PASS, BET, PASS],
  [PASS, BET, BET],
];

test("passes the conformance kit", () => {
  expect(checkEnvironment(kuhnPoker)).toEqual([]);
});

test("plays as OpenSpiel does, in every deal and every way to bet", () => {
  expect(goldens.flatMap((section) => section.episodes)).toHaveLength(30);
  expect(replayGoldens(kuhnPoker, goldens)).toEqual([]);
});

/** What a seat sees in every situation, by its own card and the betting: more than one view means that something hidden shows. */
function views(definition: EnvironmentDefinition): Map<string, Set<string>> {
  const env = makeEnvironment(definition);
  const seen = new Map<string, Set<string>>();
  const state = env.newState();
  const out = new Float64Array(11);
  for (let deal = 0; deal < 6; deal++)
    for (const betting of BETTINGS) {
      env.reset(state, new ScriptedChance([deal >> 1, deal & 1]));
      for (const action of betting) env.step(state, action, state, noChance);
      for (const seat of [0, 1]) {
        env.observe(state, seat, out);
        const key = `seat ${seat} with ${state.ints[OWN + seat]} after ${betting}`;
        seen.set(key, (seen.get(key) ?? new Set()).add(out.join()));
      }
    }
  return seen;
}

test("a view depends on one's own card and the betting alone, and tells all of these apart", () => {
  const seen = [...views(kuhnPoker).values()];
  expect(seen).toHaveLength(2 * 3 * BETTINGS.length);
  expect(seen.every((one) => one.size === 1)).toBe(true);
  expect(new Set(seen.flatMap((one) => [...one])).size).toBe(seen.length);
});

test("a view that shows the other's card is noticed", () => {
  const wrong = withMistake<SequentialRules>(kuhnPoker, (right) => ({
    observe(state, seat, out) {
      right.observe(state, seat, out);
      out[2 + state.ints[OWN + 1 - seat]!] = 1;
    },
  }));
  expect([...views(wrong).values()].some((one) => one.size > 1)).toBe(true);
  expect(replayGoldens(wrong, goldens)).not.toEqual([]);
});

test("a called bet that pays 1 is noticed", () => {
  const wrong = withMistake<SequentialRules>(kuhnPoker, (right) => ({
    apply(state, seat, action, chance) {
      right.apply(state, seat, action, chance);
      for (const one of [0, 1]) state.floats[one] = Math.sign(state.floats[one]!);
    },
  }));
  expect(replayGoldens(wrong, goldens)).not.toEqual([]);
});

test("deals the six deals equally often", () => {
  const env = makeEnvironment(kuhnPoker);
  const state = env.newState();
  const counts = new Map<string, number>();
  const chance = SeededChance.fromSeed(1);
  for (let i = 0; i < 6000; i++) {
    env.reset(state, chance);
    const deal = `${state.ints[OWN]}${state.ints[OWN + 1]}`;
    counts.set(deal, (counts.get(deal) ?? 0) + 1);
  }
  expect([...counts.keys()].sort()).toEqual(["01", "02", "10", "12", "20", "21"]);
  // Six standard deviations of a binomial with 6000 draws and p = 1/6: 173.
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(173);
});
