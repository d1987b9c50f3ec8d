/** Agents that RL Arena's backend has built into images, and code in the image that a limits.yaml names, by an engine of ours. */
import { realpathSync } from "node:fs";
import { basename, join } from "node:path";
import { buffer } from "node:stream/consumers";
import { canStartEngine, startTestEngine, type TestEngine } from "@lanista/sandbox/testing/engine";
import { canMakeImage, intoEngine, makeTestImage } from "@lanista/sandbox/testing/image";
import { pack } from "tar-stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeZip } from "../bundles/zip-writer.ts";
import { PONG, STILL } from "../clients/python/executor/agents.ts";
import { executorPackages, type MatchResponse } from "../clients/python/executor/python-client.ts";
import { ExecutorWorld } from "./support/executor-world.ts";

const CACHE = join(import.meta.dirname, "../../.cache");
/** The folder of the standard library, in the image as here. */
const PYTHON = canMakeImage ? basename(realpathSync("/usr/bin/python3")) : "";
const LIMITS = "sandbox: {docker_image: 'rl/base:latest'}\nresource_limits: {max_steps_per_match: 50}\n";
const LOOK = "def get_action(obs):\n    raise ValueError('found: ' + open('/etc/lanista-root').read())\n";
const zipped = (script: string): string => writeZip([{ name: "agent.py", data: script }]).toString("base64");
const venv = canStartEngine && canMakeImage ? executorPackages() : null;

describe.skipIf(venv === null)("with a container engine", () => {
  const before = process.env.DOCKER_HOST;
  let engine: TestEngine;
  let arena: ExecutorWorld;
  /** Of the images, by their names. */
  const ids = new Map<string, string>();

  beforeAll(async () => {
    engine = await startTestEngine();
    process.env.DOCKER_HOST = engine.address;
    const image = await intoEngine(engine.docker, makeTestImage(CACHE));
    await addFile(image, "app/agent.py", PONG, "rl/agent-pong:v1");
    await addFile(image, "etc/lanista-root", "named in the limits\n", "rl/with-mark:latest");
    await addFile("rl/with-mark:latest", `usr/lib/${PYTHON}/only_there.py`, "STAY = 1\n", "rl/base:latest");
    arena = await ExecutorWorld.open(venv!, { limits: LIMITS, flags: { "worker.tier": "docker" }, tiers: ["docker"] });
  }, 120_000);
  afterAll(async () => {
    await arena?.close();
    await engine?.stop();
    if (before === undefined) delete process.env.DOCKER_HOST;
    else process.env.DOCKER_HOST = before;
  }, 60_000);

  /** A new image: another one and a file. */
  async function addFile(image: string, path: string, text: string, tag: string): Promise<void> {
    const container = await engine.docker.createContainer({ Image: image, Cmd: ["true"] });
    const archive = pack();
    archive.entry({ name: path, mode: 0o644 }, text);
    archive.finalize();
    await container.putArchive(await buffer(archive), { path: "/" });
    const [repo, version] = tag.split(":");
    ids.set(tag, (await container.commit({ repo, tag: version })).Id);
    await container.remove({ force: true });
  }

  test.each([
    ["docker_image", { docker_image: "rl/agent-pong:v1" }],
    ["code_url", { code_url: "rl/agent-pong:v1" }],
    ["code_url of that scheme", { code_url: "docker://rl/agent-pong:v1" }],
  ])("an image in %s plays against code", async (_, given) => {
    const request = arena.request({ agents: [STILL, STILL], replay: true }) as { agents: object[] };
    request.agents[1] = { agent_id: "agent-b", version: "2", ...given };
    const answer = await arena.client.call<MatchResponse>("RunMatch", request);
    expect(answer).toMatchObject({
      status: "STATUS_SUCCESS",
      total_steps: 50,
      agent_results: [
        { errors: 0, error_message: "" },
        { errors: 0, error_message: "" },
      ],
    });
    const { frames, metadata } = await arena.replay(answer.replay_url);
    expect(metadata.agents).toEqual([
      { agent_id: "agent-a", version: "1", image_digest: ids.get("rl/base:latest") },
      { agent_id: "agent-b", version: "2", image_digest: ids.get("rl/agent-pong:v1") },
    ]);
    // It follows the ball, as only the agent in the image does; a frame shows what came of its actions.
    const wanted = frames.map(({ observations }) => {
      const { 1: ball, 5: paddle } = observations["agent-b"]!;
      return ball! < paddle! - 0.02 ? 0 : ball! > paddle! + 0.02 ? 2 : 1;
    });
    expect(frames.map(({ actions }) => actions["agent-b"])).toEqual([1, ...wanted.slice(0, -1)]);
  });

  test("code runs in the image that docker_image of the limits names", async () => {
    const answer = await arena.play({ agents: [LOOK, STILL] });
    expect(answer.status).toBe("STATUS_SUCCESS");
    expect(answer.agent_results[0]!.error_message).toContain("found: named in the limits");
  });

  test("ValidateAgent reads and tries it there, too", async () => {
    const validate = (script: string): Promise<object> =>
      arena.client.call("ValidateAgent", { agent_id: "ada", environment: "pong", code_zip: zipped(script) });
    const there = "import only_there\ndef get_action(obs):\n    return only_there.STAY\n";
    expect(await validate(there)).toEqual({ valid: true, errors: [], warnings: [] });
    expect(await validate(there.replaceAll("only_there", "not_there"))).toMatchObject({ valid: false });
  }, 60_000);

  test("code runs there beside an image, where the server's own tier is another", async () => {
    const other = await ExecutorWorld.open(venv!, { limits: LIMITS, tiers: ["container", "docker"] });
    try {
      const request = other.request({ agents: [LOOK, STILL] }) as { agents: object[] };
      const alone = await other.client.call<MatchResponse>("RunMatch", { ...request, match_id: "alone" });
      expect(alone.agent_results[0]!.error_message).toContain("FileNotFoundError");
      request.agents[1] = { agent_id: "agent-b", version: "2", docker_image: "rl/agent-pong:v1" };
      const beside = await other.client.call<MatchResponse>("RunMatch", request);
      expect(beside.agent_results[0]!.error_message).toContain("found: named in the limits");
    } finally {
      await other.close();
    }
  }, 120_000);

  test("an image that the engine does not have is no loss of anybody's", async () => {
    const request = arena.request({ agents: [STILL, STILL] }) as { agents: object[] };
    request.agents[1] = { agent_id: "agent-b", docker_image: "rl/absent:v1" };
    const answer = await arena.client.call<MatchResponse>("RunMatch", request);
    expect(answer).toMatchObject({ status: "STATUS_ERROR", winner_agent_id: "", total_steps: 0 });
    expect(answer.error_message).not.toBe("");
  });
});
