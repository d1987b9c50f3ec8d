/** The smallest task of aiVLE's, for the self-test: the agent must double numbers. It needs no package. */
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { ZipFile } from "yazl";

const GRADER = {
  "bootstrap.sh": "#!/bin/bash\npython grader.py\n",
  "requirements.txt": "",
  "grader.py": `import pickle

from agent import create_agent

agent = create_agent()
right = sum(agent.step(number) == 2 * number for number in range(10))
result = {"name": "doubles", "detail": f"doubled {right} of 10", "value": right, "error": None}
print(pickle.dumps({"suite_id": "self-test", "results": [{"case_id": 0, "result": result}]}))
`,
};

const AGENT = {
  "agent.py": `class Agent:
    def step(self, state):
        return state + state


def create_agent(**kwargs):
    return Agent()
`,
};

/** Stands in the result line. */
export const SELF_TEST_RESULT = "doubled 10 of 10";

export async function writeSelfTestBundle(
  folder: string,
): Promise<{ readonly grader: string; readonly agent: string }> {
  const paths = { grader: join(folder, "grader.zip"), agent: join(folder, "agent.zip") };
  await writeZip(paths.grader, GRADER);
  await writeZip(paths.agent, AGENT);
  return paths;
}

async function writeZip(path: string, files: Readonly<Record<string, string>>): Promise<void> {
  const zip = new ZipFile();
  for (const [name, text] of Object.entries(files)) zip.addBuffer(Buffer.from(text), name);
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(path));
}
