import { expect, test } from "vitest";
import { distinctNames } from "./agent-names.ts";

test.each([
  [
    ["a/greedy.py", "a/random.py"],
    ["greedy.py", "random.py"],
  ],
  [
    ["a/greedy.py", "a/greedy.mjs"],
    ["greedy.py", "greedy.mjs"],
  ],
  [
    ["hex/greedy.py", "four/greedy.py"],
    ["hex/greedy.py", "four/greedy.py"],
  ],
  [
    ["mine/agent.py", "a/random.py"],
    ["mine", "random.py"],
  ],
  [
    ["mine", "a/random.py"],
    ["mine", "random.py"],
  ],
  [
    ["mine/agent.py", "yours/agent.py"],
    ["mine/agent.py", "yours/agent.py"],
  ],
  [
    ["a/greedy.py", "a/greedy.py"],
    ["greedy.py #1", "greedy.py #2"],
  ],
  [
    ["x/hex/greedy.py", "y/hex/greedy.py"],
    ["hex/greedy.py #1", "hex/greedy.py #2"],
  ],
])("%j are called %j", (paths, names) => {
  expect(distinctNames(paths.map((path) => ({ path, name: path.split("/").at(-1)! })))).toEqual(names);
});
