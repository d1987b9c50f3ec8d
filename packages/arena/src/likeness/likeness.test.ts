import { expect, test } from "vitest";
import { alikePairs } from "./compare.ts";
import { tokensOf } from "./tokens.ts";
import { CERTAIN, fingerprints } from "./winnow.ts";

const SOLUTION = `
class Agent:
    """Looks ahead."""
    def __init__(self):
        self.depth = 4
        self.cache = {}
    def act(self, observation):
        best, chosen = -1e9, None
        for action in self.moves(observation):
            value = self.search(observation, action, self.depth)
            if value > best:
                best, chosen = value, action
        return chosen
    def search(self, state, action, depth):
        key = (str(state), action)
        if key in self.cache:
            return self.cache[key]
        if depth == 0:
            return sum(state["board"]) * 0.5
        self.cache[key] = max(-self.search(state, other, depth - 1) for other in self.moves(state))
        return self.cache[key]
    def moves(self, state):
        return [i for i, ok in enumerate(state["action_mask"]) if ok]
`;
const DISGUISED = SOLUTION.replaceAll("depth", "how_far")
  .replaceAll("chosen", "pick")
  .replaceAll("    ", "  ")
  .replaceAll("return", "# gives back\n      return")
  .replace('"""Looks ahead."""', '"all my own work"');
const OTHER = `
import random
table = {}
class Agent:
    def act(self, observation):
        while True:
            i = random.randrange(len(observation["action_mask"]))
            if not observation["action_mask"][i]:
                continue
            table.setdefault(tuple(observation["board"]), []).append(i)
            weights = [table.get(j, 1) + 3 for j in range(9)]
            return random.choices(range(9), weights)[0] if sum(weights) else i
    def learn(self, reward):
        for key, values in table.items():
            table[key] = [v * (1 + reward) for v in values if v is not None]
`;
const prints = (source: string) => fingerprints(tokensOf(source, "python"));

test("names, layout and comments do not hide what was copied; what is given to everybody is nobody's", () => {
  const texts = [
    { id: "a", prints: prints(SOLUTION) },
    { id: "b", prints: prints(DISGUISED) },
    { id: "c", prints: prints(OTHER) },
  ];
  const pairs = alikePairs(texts, new Set());
  expect(pairs.map(({ a, b }) => a + b)).toEqual(["ab"]);
  expect(pairs[0]!.likeness).toBeGreaterThan(0.9);
  expect(alikePairs(texts, prints(SOLUTION))).toEqual([]);
});

test("what is long enough is found wherever it stands, and what a program is made of beside it does not matter", () => {
  const tokens = Array.from({ length: CERTAIN }, (_, i) => `t${(i * i) % 17}`);
  const around = (seed: number) => Array.from({ length: 200 }, (_, i) => `x${(i * seed * 7919) % 101}`);
  for (const [one, two] of [
    [3, 5],
    [11, 7],
    [2, 13],
  ] as const) {
    const left = fingerprints([...around(one), ...tokens, ...around(two)]);
    const right = fingerprints([...tokens, ...around(two + 20)]);
    expect([...left].some((print) => right.has(print))).toBe(true);
  }
  expect(fingerprints(tokens.slice(0, 5)).size).toBe(0);
});

test("what nearly everybody wrote tells nothing of two", () => {
  const everybody = Array.from({ length: 40 }, (_, i) => ({ id: `s${i}`, prints: prints(SOLUTION) }));
  expect(alikePairs(everybody, new Set())).toEqual([]);
});

test.each([
  ["python", 'x = "a # no comment"\n# a comment "\ny = 1.5e3', ["a", "=", '"', "a", "=", "0"]],
  ["python", "'''open to the end", ['"']],
  ["javascript", "let a = `x$1` // b\n/* c */ 'd", ["let", "a", "=", '"', '"']],
  ["python", "", []],
] as const)("%s: %j", (language, source, tokens) => {
  expect(tokensOf(source, language)).toEqual(tokens);
});

test("no text makes it hang", () => {
  for (const text of [
    '"'.repeat(1_000_000),
    "\\".repeat(1_000_000),
    '"\\'.repeat(500_000),
    "r'".repeat(500_000),
    "/*".repeat(500_000),
  ])
    for (const language of ["python", "javascript"] as const) tokensOf(text, language);
});
