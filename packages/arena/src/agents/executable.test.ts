import { chmodSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { agentFiles, converse } from "./testing/agent-files.ts";
import { Conversation } from "./testing/conversation.ts";

const READY = { type: "ready", protocol: 1 };

/** Answers every question with action 1, in shell alone. */
const RUN = `#!/bin/sh
echo "in $PWD" >&2
read -r start
echo "$start" >&2
printf '{"type":"ready","protocol":1}\\n'
while read -r line; do
  id=\${line#*'"id":'}
  printf '{"id":%s,"action":1}\\n' "\${id%%,*}"
done
`;

test("run is started in the agent's folder and speaks the protocol itself, from the start message on", async () => {
  const agent = converse("executable", { run: RUN });
  expect(await agent.start({ seed: 1234 })).toEqual(READY);
  expect(await agent.ask({ observation: [0], mask: [1, 1] })).toEqual({ action: 1 });
  expect(await agent.close()).toEqual({ code: 0, signal: null });
  expect(agent.log).toMatch(/^in .*lanista-agent-/);
  expect(agent.log).toContain('{"type":"start","protocol":1');
  expect(agent.log).toContain('"seed":1234');
});

test("nothing is run before the files are there", async () => {
  const agent = converse("executable", { run: RUN });
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(agent.log).toBe("");
  agent.kill();
});

test.each([
  ["a text without an interpreter's line, which the shell takes for a script", "not a program\n", 0o755],
  ["an interpreter that is not there", "#!/absent/interpreter\n", 0o755],
  ["a file of another machine", "\u007fELF\u0001\u0001\u0001 and more", 0o755],
  ["a file that may not be executed", RUN, 0o644],
])("%s ends before it is ready, and its log says why", async (_, text, mode) => {
  const dir = agentFiles({ run: text });
  chmodSync(join(dir, "run"), mode);
  const agent = new Conversation("executable", dir);
  await expect(agent.start()).rejects.toThrow("ended without an answer");
  expect((await agent.ended).code).not.toBe(0);
  expect(agent.log).toContain("run");
});
