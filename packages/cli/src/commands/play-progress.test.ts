/** Who waits for a match at a terminal sees that it goes on, from its first half second. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, expect, test, vi } from "vitest";
import { run } from "../run.ts";

vi.setConfig({ testTimeout: 180_000 });

const dir = mkdtempSync(join(tmpdir(), "lanista-play-progress-"));
const agent = join(dir, "slow.py");
writeFileSync(
  agent,
  "import time\ndef act(seen):\n    time.sleep(0.3)\n    return list(seen['action_mask']).index(1)\n",
);
afterAll(() => rmSync(dir, { recursive: true }));

test.each([
  ["match", [], [/Playing: \d steps? \(/]],
  ["tournament", ["--concurrency", "1"], [/Playing the first matches… \(/, /1 of 2 matches played; last: slow.py/]],
] as const)("%s", async (command, options, lines) => {
  let stdout = "";
  let stderr = "";
  const terminal = {
    stdin: Readable.from([]),
    stdout: { write: (text: string) => (stdout += text) },
    stderr: { write: (text: string) => (stderr += text), isTTY: true, columns: 200 },
    environment: {},
  };
  const words = [command, "tic-tac-toe", agent, agent, ...options, "--tier", "none", "--json"];
  expect(await run(words, terminal, new AbortController().signal)).toBe(0);
  JSON.parse(stdout);
  for (const line of lines) expect(stderr).toMatch(line);
  expect(stderr.endsWith("\r\u001b[2K")).toBe(true);
});
