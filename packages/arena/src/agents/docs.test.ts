import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { converse } from "./testing/agent-files.ts";
import { findPythons } from "./testing/interpreters.ts";

const page = readFileSync(new URL("../../../../docs/agents.md", import.meta.url), "utf8");

const [python] = findPythons();

/** Every code block of the page with its language. */
const blocks = [...page.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language, source]) => ({
  language: language!,
  source: source!,
}));

const kinds = new Map([
  ["python", { language: "python", entry: "agent.py" }],
  ["js", { language: "javascript", entry: "agent.mjs" }],
  ["sh", { language: "executable", entry: "run" }],
] as const);

test("the page has examples in each language", () => {
  expect(new Set(blocks.map(({ language }) => language))).toEqual(new Set(kinds.keys()));
});

test.each(blocks)(
  "example %# on the page, in $language, plays two episodes by legal actions",
  async ({ language, source }) => {
    const kind = kinds.get(language as "python")!;
    const interpreter = language === "python" ? python!.path : undefined;
    const agent = converse(kind.language, { [kind.entry]: source }, interpreter);
    expect(await agent.start(), agent.log).toEqual({ type: "ready", protocol: 1 });
    for (const episode of [0, 1]) {
      for (const mask of [
        [0, 0, 1, 0, 1, 0, 0, 0, 0],
        [1, 0, 0, 0, 0, 0, 0, 0, 0],
      ]) {
        const { action, error } = await agent.ask({ observation: [0, 0, 0, 0, 0, 0], mask, episode });
        expect(error).toBeUndefined();
        expect(mask[action!]).toBe(1);
      }
      agent.say({ type: "episode_end", episode, reward: 1, return: 1, terminated: true, truncated: false });
    }
    expect(await agent.close()).toEqual({ code: 0, signal: null });
    if (source.includes("won in")) expect(agent.log).toContain("won in 2 turns; 2 in all");
  },
);
