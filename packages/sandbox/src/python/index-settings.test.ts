import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { type IndexOptions, indexSettings } from "./index-settings.ts";
import { readPipConf } from "./pip-conf.ts";

const dir = mkdtempSync(join(tmpdir(), "lanista-index-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const file = (name: string, text: string): string => {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
};

/** Without this machine's own pip.conf. */
const none = { PIP_CONFIG_FILE: "/dev/null" };
const urls = (own: IndexOptions, env: Record<string, string>): string[] =>
  indexSettings(own, { ...none, ...env }).indexes.map(({ href }) => href);

it("asks PyPI where nothing is set", () => {
  expect(urls({}, {})).toEqual(["https://pypi.org/simple/"]);
});

it("takes own settings, then uv's, then pip's, then pip.conf's", () => {
  const conf = file(
    "pip.conf",
    "[global]\nindex-url = https://conf.example/simple\nextra-index-url =\n  https://b.example\n  https://c.example\n",
  );
  const env: Record<string, string> = { PIP_CONFIG_FILE: conf };
  const extras = ["https://b.example/", "https://c.example/"];
  expect(indexSettings({}, env).indexes.map(String)).toEqual(["https://conf.example/simple/", ...extras]);
  env.PIP_INDEX_URL = "https://pip.example/simple/";
  expect(urls({}, env)[0]).toBe("https://pip.example/simple/");
  env.UV_INDEX_URL = "https://uv.example/simple/";
  expect(urls({}, env)[0]).toBe("https://uv.example/simple/");
  env.UV_INDEX = "torch=https://torch.example/whl";
  expect(urls({}, env)).toEqual(["https://uv.example/simple/", "https://torch.example/whl/"]);
  expect(urls({ indexUrl: "https://own.example", extraIndexUrls: [] }, env)).toEqual(["https://own.example/"]);
});

it("has no index offline, and folders that are there", () => {
  expect(indexSettings({}, { ...none, PIP_NO_INDEX: "1", PIP_FIND_LINKS: `${dir} /nonexistent` })).toMatchObject({
    indexes: [],
    folders: [dir],
  });
  expect(urls({ offline: true }, {})).toEqual([]);
});

it("refuses what it cannot honour, and shows no password", () => {
  expect(() => indexSettings({ findLinks: ["/nonexistent"] }, none)).toThrow(/no folder/);
  expect(() => indexSettings({}, { ...none, PIP_FIND_LINKS: "https://example.org/links" })).toThrow(/folders only/);
  expect(() => indexSettings({ strategy: "any" }, none)).toThrow(/strategy/);
  expect(() => indexSettings({ caFile: "/nonexistent" }, none)).toThrow(/certificates/);
  expect(() => indexSettings({ constraints: "/nonexistent" }, none)).toThrow(/constraints/);
  let message = "";
  try {
    indexSettings({ indexUrl: "ftp://user:secret@example.org/" }, none);
  } catch (error) {
    message = (error as Error).message;
  }
  expect(message).toMatch(/https/);
  expect(message).not.toContain("secret");
});

it("reads pip.conf's sections for every command and for install", () => {
  const text =
    "# all\n[global]\nIndex_Url: https://a.example\n[list]\nindex-url = https://wrong.example\n[install]\nfind-links =\n    /a\n    /b\n";
  expect([...readPipConf(text)]).toEqual([
    ["index-url", "https://a.example"],
    ["find-links", "/a /b"],
  ]);
});
