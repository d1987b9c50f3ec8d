import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { makeEnvironment } from "./environment.ts";
import { environments } from "./registry.ts";

const page = readFileSync(new URL("../../../docs/environments.md", import.meta.url), "utf8");
/** The page's sections, by heading. */
const sections = new Map(page.split(/^## /m).map((text) => [text.slice(0, text.indexOf("\n")), text]));

test("the page describes these environments and no others", () => {
  const headings = [...sections.keys()].filter((heading) => !heading.startsWith("# "));
  expect(headings.sort()).toEqual([...environments.keys()].sort());
});

describe.each([...environments.values()])("$id", (definition) => {
  const section = (sections.get(definition.id) ?? "").replaceAll(/\s+/g, " ");

  test("stands on the page with every option, its default and its range", () => {
    for (const [name, option] of Object.entries(definition.options)) {
      const range = "minimum" in option ? ` (${option.minimum} … ${option.maximum})` : "";
      expect(section).toContain(`\`${name}\` ${option.default}${range}`);
    }
  });

  test("names every action once", () => {
    const env = makeEnvironment(definition);
    const names = Array.from({ length: env.info.actions }, (_, action) => env.actionName(action));
    expect(new Set(names).size).toBe(env.info.actions);
  });
});
