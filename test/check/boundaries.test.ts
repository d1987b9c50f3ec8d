/** The arrows of docs/architecture.md: an import against one is refused by Biome, and one along it is not. */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const ROOT = resolve(import.meta.dirname, "../..");

const AGAINST: readonly (readonly [workspace: string, imported: string])[] = [
  ["games", "node:fs"],
  ["games", "@lanista/sandbox/types"],
  ["games", "../../sandbox/src/types.ts"],
  ["sandbox", "@lanista/games/environment"],
  ["sandbox", "@lanista/arena/match"],
  ["arena", "@lanista/api/client"],
  ["arena", "@lanista/server/main"],
  ["arena", "lanista"],
  ["api", "@lanista/games/registry"],
  ["api", "@lanista/server/main"],
  ["server", "lanista"],
  ["server", "../../cli/src/main.ts"],
  ["cli", "../../arena/src/match.ts"],
];
const ALONG: typeof AGAINST = [
  ["games", "./environment.ts"],
  ["sandbox", "node:fs"],
  ["arena", "@lanista/sandbox/types"],
  ["server", "@lanista/arena/match"],
  ["cli", "@lanista/server/main"],
];
const ALL = [...AGAINST, ...ALONG];

/** For each planted import, by its place in ALL, whether Biome refuses it. */
const refused = ALL.map(() => false);
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "lanista-boundaries-"));
  copyFileSync(join(ROOT, "biome.json"), join(dir, "biome.json"));
  for (const [place, [workspace, imported]] of ALL.entries()) {
    const file = join(dir, "packages", workspace, "src", `${place}.ts`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `export * from "${imported}";\n`);
  }
  const words = [
    "lint",
    "--only=style/noRestrictedImports",
    "--vcs-enabled=false",
    "--reporter=json",
    "--max-diagnostics=none",
  ];
  const ran = spawnSync(join(ROOT, "node_modules/.bin/biome"), words, { cwd: dir, encoding: "utf8" });
  expect(ran.stdout, ran.error?.message ?? ran.stderr).toMatch(/^\{/);
  const { diagnostics } = JSON.parse(ran.stdout) as {
    readonly diagnostics: readonly { readonly category: string; readonly location: { readonly path: string } }[];
  };
  for (const { category, location } of diagnostics) {
    expect(category).toBe("lint/style/noRestrictedImports");
    refused[Number(basename(location.path, ".ts"))] = true;
  }
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test.each(AGAINST)("%s may not import %s", (...planted) => {
  expect(refused[ALL.findIndex((one) => one[0] === planted[0] && one[1] === planted[1])]).toBe(true);
});

test.each(ALONG)("%s may import %s", (...planted) => {
  expect(refused[ALL.findIndex((one) => one[0] === planted[0] && one[1] === planted[1])]).toBe(false);
});
