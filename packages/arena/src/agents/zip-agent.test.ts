import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { prepareAgent } from "./prepare.ts";
import { zipAgent } from "./zip-agent.ts";

const dir = mkdtempSync(join(tmpdir(), "lanista-zip-agent-"));
afterAll(() => rmSync(dir, { recursive: true }));

test("a file's zip is the same every time, and the same agent as the file", async () => {
  const file = join(dir, "agent.py");
  writeFileSync(file, "def get_action(obs):\n    return 0\n");
  const zip = await zipAgent(file);
  expect((await zipAgent(file)).equals(zip)).toBe(true);
  const zipped = join(dir, "it.zip");
  writeFileSync(zipped, zip);
  const [one, other] = await Promise.all(
    [file, zipped].map((path) => prepareAgent(path, { workDir: join(dir, "work") })),
  );
  expect(other?.digest).toBe(one?.digest);
  expect((await zipAgent(zipped)).equals(zip)).toBe(true);
});
