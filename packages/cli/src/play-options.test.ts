import { join } from "node:path";
import { Command } from "commander";
import { describe, expect, test } from "vitest";
import { TEMPLATES_DIR } from "./places.ts";
import { addPlayOptions, arenaOptions, matchOptions, type PlayOptions } from "./play-options.ts";
import { runCommand } from "./testing.ts";

const parsed = (...words: string[]) =>
  addPlayOptions(new Command(), "").parse(words, { from: "user" }).opts<PlayOptions>();

describe("the tier", () => {
  test.each([
    [[], "container"],
    [["--runtime", "crun"], "container"],
    [["--runtime", "runc"], "container"],
    [["--runtime", "runsc"], "gvisor"],
    [["--tier", "docker"], "docker"],
  ] as const)("%j: %s", (words, tier) => {
    expect(arenaOptions(parsed(...words)).tier).toBe(tier);
  });

  test("that is named stands, and a runtime of another is refused", async () => {
    const agent = join(TEMPLATES_DIR, "agent", "javascript");
    const ran = await runCommand("validate", agent, "--env", "hex", "--tier", "container", "--runtime", "runsc");
    expect(ran.stderr).toContain("runsc does not belong to the tier container");
    expect(ran.code).toBe(2);
  });
});

test("a waiting seat is charged, or frozen where that is asked for", () => {
  expect(matchOptions(parsed()).whileWaiting).toBe("charge");
  expect(matchOptions(parsed("--while-waiting", "freeze")).whileWaiting).toBe("freeze");
});
