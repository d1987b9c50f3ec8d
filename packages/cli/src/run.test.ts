import { describe, expect, test } from "vitest";
import { runCommand } from "./testing.ts";

describe("usage errors", () => {
  test.each([
    [["env", "show", "hexx"], /no environment "hexx"; did you mean hex\?/],
    [
      ["match", "./my-env.mjs", "a.py"],
      /my-env\.mjs is not built in\. Played are .*bundle.*lanista env check \.\/my-env\.mjs/,
    ],
    [["env", "show", "mine.py"], /mine\.py is not built in/],
    [["env", "show", "hex", "--option", "size=99"], /"size" must be an integer in 2 … 19, not 99/],
    [["env", "show", "hex", "--option", "siz=9"], /unknown option "siz"; known: size/],
    [["env", "show", "hex", "--option", "size"], /NAME=VALUE, not "size"/],
    [["env", "show", "hex", "--option", "size=5", "--option", "size=6"], /size is given twice/],
    [["env", "lsit"], /unknown command 'lsit'[\s\S]*list/],
    [["env", "list", "--jsn"], /unknown option '--jsn'[\s\S]*--json/],
    [["env", "list", "more"], /too many arguments/],
    [["init", "agent", "--lang", "rust", "x"], /Allowed choices are python, javascript/],
    [["init", "agent", "x"], /--lang/],
    [[], /Usage: lanista/],
  ])("%j", async (argv, message) => {
    const ran = await runCommand(...argv);
    expect(ran.stderr).toMatch(message);
    expect(ran.stdout).toBe("");
    expect(ran.code).toBe(2);
  });

  test("with --json, standard output is one document about the error", async () => {
    const ran = await runCommand("env", "show", "hexx", "--json");
    expect(ran.code).toBe(2);
    expect(JSON.parse(ran.stdout)).toEqual({
      error: { code: "usage", message: expect.stringContaining('no environment "hexx"') },
    });
  });

  test("a missing argument with --json, too", async () => {
    const ran = await runCommand("env", "show", "--json");
    expect(ran.code).toBe(2);
    expect(JSON.parse(ran.stdout).error.message).toContain("missing required argument");
  });
});

describe("help", () => {
  test.each([
    [["--help"]],
    [["help", "match"]],
    [["env", "--help"]],
    [["env", "show", "--help"]],
    [["init", "agent", "-h"]],
  ])("%j goes to standard output, with an example, and ends with 0", async (argv) => {
    const ran = await runCommand(...argv);
    expect(ran.stdout).toMatch(/Usage: lanista/);
    if (!(argv.length === 2 && argv[0] === "env")) expect(ran.stdout).toMatch(/Example:\n {2}\$ lanista/);
    expect(ran.stderr).toBe("");
    expect(ran.code).toBe(0);
  });

  test.each([[], ["validate"]])("%j names no file that the package does not bring", async (...argv) => {
    expect((await runCommand(...argv, "--help")).stdout).not.toMatch(/\b(docs|examples)\//);
  });

  test("the version is the engine's", async () => {
    expect((await runCommand("--version")).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe("env list and show", () => {
  test("list prints a line for each, and the same as JSON", async () => {
    const { environments } = JSON.parse((await runCommand("env", "list", "--json")).stdout);
    const lines = (await runCommand("env", "list")).stdout.trimEnd().split("\n");
    expect(lines.slice(1).map((line) => line.split(" ")[0])).toEqual(environments.map((one: { id: string }) => one.id));
    expect(environments).toContainEqual(expect.objectContaining({ id: "tic-tac-toe", seats: 2, turn: "sequential" }));
  });

  test("show prints the chosen options and the first position", async () => {
    const ran = await runCommand("env", "show", "tic-tac-toe");
    expect(ran.stdout).toContain(". . .\n. . .\n. . .");
  });

  test.each([
    ["hex", true, /agents see +observation and action_mask/],
    ["pong", false, /agents see +the observation alone/],
    ["kuhn-poker", false, /agents see +the observation alone/],
  ])("show says whether agents of %s are given a mask: %j", async (id, masked, text) => {
    expect(JSON.parse((await runCommand("env", "show", id, "--json")).stdout)).toMatchObject({ masked });
    expect((await runCommand("env", "show", id)).stdout).toMatch(text);
  });

  test("show --json holds no infinity that JSON would turn into null", async () => {
    for (const id of ["cart-pole", "tic-tac-toe"]) {
      const document = JSON.parse((await runCommand("env", "show", id, "--json")).stdout);
      expect(JSON.stringify([document.observationSpace, document.maxSteps, document.returnRange])).not.toContain(
        "null",
      );
    }
  });
});
