import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readWorkerSettings } from "../config/worker-settings.ts";
import { testServer } from "../testing/server.ts";

/** What the worker beside a server with these settings is started with: its arguments, or its environment. */
async function argumentsOf(
  flags: Readonly<Record<string, string>>,
  shown: '"$@"' | '"$(env)"' = '"$@"',
): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "lanista-embedded-"));
  const file = join(folder, "arguments");
  const script = `printf '%s\\n' ${shown} > ${file}.part && mv ${file}.part ${file} && exec sleep 60`;
  const command = ["/bin/sh", "-c", script, "lanista"];
  const server = await testServer({ flags: { "worker.embedded": "true", shutdownSeconds: "1", ...flags }, command });
  try {
    await expect.poll(() => existsSync(file), { timeout: 20_000 }).toBe(true);
    return readFileSync(file, "utf8").trimEnd().split("\n");
  } finally {
    await server.close();
    rmSync(folder, { recursive: true });
  }
}

test("the embedded worker has the image of the settings, and none where they name none", async () => {
  const given = await argumentsOf({ "worker.image": "/srv/image:v1" });
  expect(given[given.indexOf("--image") + 1]).toBe("/srv/image:v1");
  expect(await argumentsOf({})).not.toContain("--image");
}, 60_000);

test("it is told of the packages' index where nobody else reads it", async () => {
  const flags = { "worker.packages.indexUrl": "https://me:hush@packages.example.org/simple/" };
  expect((await argumentsOf(flags)).join(" ")).not.toContain("hush");
  const lines = await argumentsOf(flags, '"$(env)"');
  const env = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
  const { settings } = readWorkerSettings(null, env);
  expect(settings.packages?.index).toEqual({ indexUrl: flags["worker.packages.indexUrl"] });
}, 60_000);
