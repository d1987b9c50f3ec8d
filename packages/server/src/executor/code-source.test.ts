import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { codeSource } from "./code-source.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lanista-source-"));
  mkdirSync(join(folder, "agents/one"), { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const source = (codeUrl: string, dockerImage = "") => codeSource({ codeUrl, dockerImage }, [folder]);

test("docker_image goes before code_url", () => {
  expect(source("/code/agent", "rl/agent:3")).toEqual({ kind: "image", image: "rl/agent:3" });
});

test.each([
  ["http://example.org/a.zip", { kind: "url", url: "http://example.org/a.zip" }],
  ["HTTPS://example.org/a.zip", { kind: "url", url: "HTTPS://example.org/a.zip" }],
  ["file:///code/my%20agent", { kind: "path", path: "/code/my agent" }],
  ["/storage/submissions/7", { kind: "path", path: "/storage/submissions/7" }],
  [
    "docker://registry.example.org:5000/team/agent:v1",
    { kind: "image", image: "registry.example.org:5000/team/agent:v1" },
  ],
  ["registry.example.org/agents/my-agent:v1", { kind: "image", image: "registry.example.org/agents/my-agent:v1" }],
  ["rl-arena-agent:latest", { kind: "image", image: "rl-arena-agent:latest" }],
  [`agent@sha256:${"a".repeat(64)}`, { kind: "image", image: `agent@sha256:${"a".repeat(64)}` }],
])("%s", (codeUrl, expected) => {
  expect(source(codeUrl)).toEqual(expected);
});

test("a relative path is one where an allowed folder has it", () => {
  expect(source("agents/one")).toEqual({ kind: "path", path: join(folder, "agents/one") });
  expect(source("agents/two")).toEqual({ kind: "image", image: "agents/two" });
});

test.each([
  "",
  "ftp://example.org/a.zip",
  "s3://bucket/a.zip",
  "--privileged",
  "../../etc",
  "a b",
  "x\0",
  "-v/:/host",
  "file://elsewhere/x",
  "a".repeat(5000),
])("%j is none of them", (codeUrl) => {
  expect(() => source(codeUrl)).toThrow(expect.objectContaining({ code: "invalid" }));
});

test.each(["--privileged", "a b", "docker://x", "/etc", "a;b", "a".repeat(501)])("%j is no image", (image) => {
  expect(() => source("", image)).toThrow(expect.objectContaining({ code: "invalid" }));
});
