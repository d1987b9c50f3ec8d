import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { runCommand } from "../testing.ts";

const folder = mkdtempSync(join(tmpdir(), "lanista-env-check-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const FILE = { javascript: "environment.mjs", python: "environment.py" } as const;
let count = 0;

/** A starter as `init` writes it, with a mistake planted: `right` must stand in it, so that the mistake is really made. */
async function starter(language: keyof typeof FILE, right = "", wrong = ""): Promise<string> {
  const made = join(folder, `game${++count}`);
  expect(await runCommand("init", "env", "--lang", language, made)).toMatchObject({ code: 0 });
  const path = join(made, FILE[language]);
  const text = readFileSync(path, "utf8");
  expect(text).toContain(right);
  writeFileSync(path, text.replace(right, wrong));
  return path;
}

describe.each(["javascript", "python"] as const)("an environment in %s", (language) => {
  test("conforms as it is written by init, under the name it was given", async () => {
    const ran = await runCommand("env", "check", await starter(language), "--episodes", "3", "--json");
    expect(ran).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(ran.stdout)).toMatchObject({ ok: true, findings: [], env: `game${count}` });
  });

  test("is found wanting where its rewards do not sum to zero", async () => {
    const minus = language === "python" ? "= -1" : "= -1;";
    const path = await starter(language, minus, minus.replace("-1", "0"));
    const ran = await runCommand("env", "check", path, "--episodes", "3", "--json");
    expect(ran.code).toBe(1);
    expect(JSON.parse(ran.stdout).findings.map((one: { check: string }) => one.check)).toEqual(["zero-sum"]);
  });

  test("that raises an error is told where", async () => {
    const [right, wrong] =
      language === "python"
        ? (["state.ints[STONES] -= action + 1", 'raise ValueError("not today")'] as const)
        : (["state.ints[STONES] -= action + 1;", 'throw new Error("not today");'] as const);
    const ran = await runCommand("env", "check", await starter(language, right, wrong), "--episodes", "1");
    expect(ran.code).toBe(1);
    expect(ran.stdout).toMatch(/✗ throws[\s\S]*not today/);
  });

  test("that cannot be loaded is bad input, with the reason", async () => {
    const path = join(folder, `broken.${language === "python" ? "py" : "mjs"}`);
    writeFileSync(path, "this is (no program");
    const ran = await runCommand("env", "check", path);
    expect(ran.code).toBe(2);
    // The test runner's own loader has words of its own for JavaScript.
    expect(ran.stderr).toMatch(/could not be loaded[\s\S]*(SyntaxError|invalid JS syntax)/);
  });
});

test("a module without a definition is bad input, and what is missing is named", async () => {
  const path = join(folder, "empty.mjs");
  writeFileSync(path, "export default { id: 'x', version: 1, title: 'x', description: 'x', options: {} };");
  const ran = await runCommand("env", "check", path);
  expect(ran.code).toBe(2);
  expect(ran.stderr).toContain('"make" must be a function, not undefined');
});

test.each([
  ["my_game", "my-game"],
  ["MyGame", "my-game"],
  ["a--b_", "a-b"],
  ["HTTPGame2D", "http-game2-d"],
  ["hex5", "hex5"],
])("a starter in the folder %s conforms, with the id %s", async (name, id) => {
  for (const language of ["javascript", "python"] as const) {
    const made = join(folder, language, name);
    expect(await runCommand("init", "env", "--lang", language, made)).toMatchObject({ code: 0 });
    const ran = await runCommand("env", "check", join(made, FILE[language]), "--episodes", "1", "--json");
    expect(JSON.parse(ran.stdout)).toMatchObject({ ok: true, env: id });
  }
});

test("nothing is overwritten by init", async () => {
  const path = await starter("python");
  const again = await runCommand("init", "env", "--lang", "python", join(path, ".."));
  expect(again.code).toBe(2);
  expect(again.stderr).toContain("is not empty");
});
