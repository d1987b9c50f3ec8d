import { expect, test } from "vitest";
import { distinctNames } from "./agent-names.ts";

test.each([
  [
    ["a/greedy.py", "a/random.py"],
    ["greedy", "random"],
  ],
  [
    ["hex/greedy.py", "four/greedy.py"],
    ["hex/greedy", "four/greedy"],
  ],
  [
    ["mine/agent.py", "a/random.py"],
    ["mine", "random"],
  ],
  [
    ["mine/agent.py", "yours/agent.py"],
    ["mine/agent", "yours/agent"],
  ],
  [
    ["a/greedy.py", "a/greedy.py"],
    ["greedy #1", "greedy #2"],
  ],
  [
    ["x/hex/greedy.py", "y/hex/greedy.py"],
    ["hex/greedy #1", "hex/greedy #2"],
  ],
])("%j are called %j", (paths, names) => {
  expect(distinctNames(paths.map((path) => ({ path, name: path.split("/").at(-1)!.replace(/\..*/, "") })))).toEqual(
    names,
  );
});
