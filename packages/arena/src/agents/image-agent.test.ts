/** An agent whose files are part of an image: found where images have them, and played like any other. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeEnvironment } from "@lanista/games/environment";
import { ticTacToe } from "@lanista/games/tic-tac-toe";
import { SandboxHost } from "@lanista/sandbox/host";
import { findExecutable } from "@lanista/sandbox/runtimes";
import { canMakeImage, makeTestImage } from "@lanista/sandbox/testing/image";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AgentBoxes } from "../agent-boxes.ts";
import { playMatch } from "../match.ts";
import type { MatchResult } from "../result.ts";

const ROOT = join(import.meta.dirname, "../../../..");
const FIRST = `
import helper
class Agent:
    def act(self, seen): return helper.first(seen["action_mask"])
`;
const HELPER = "def first(mask): return list(mask).index(1)\n";

describe.skipIf(!canMakeImage || findExecutable("crun") === undefined)("an agent in an image", () => {
  let dir: string;
  let host: SandboxHost;
  let boxes: AgentBoxes;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "lanista-image-"));
    host = await SandboxHost.open({ runDir: join(dir, "run") });
    boxes = new AgentBoxes(host, { tier: "container", interpreters: {}, guestDir: join(ROOT, "guest") });
  }, 120_000);
  afterAll(async () => {
    await host.close();
    rmSync(dir, { recursive: true, force: true });
  });

  /** The image, with these files in it. */
  function image(name: string, files: Readonly<Record<string, string>>): string {
    const layout = join(dir, name);
    cpSync(makeTestImage(join(ROOT, ".cache")), layout, { recursive: true });
    for (const [path, text] of Object.entries(files)) {
      writeFileSync(join(dir, "file"), text, { mode: 0o644 });
      execFileSync("umoci", ["insert", "--image", `${layout}:test`, join(dir, "file"), path], { stdio: "pipe" });
    }
    return `${layout}:test`;
  }

  async function play(...images: readonly string[]): Promise<MatchResult> {
    const contenders = images.map((one, seat) => boxes.imageContender(`agent ${seat}`, one));
    const env = makeEnvironment(ticTacToe as never);
    return (await playMatch({ env, contenders, seed: 7, attempts: 1 })).result;
  }

  test("plays from where its image has it, with the modules beside it; its image stands in the stamp", async () => {
    const agent = image("agent", { "/app/agent.py": FIRST, "/app/helper.py": HELPER });
    const result = await play(agent, agent);
    expect(result.outcome).toEqual({ kind: "completed" });
    expect(result.seats.map((seat) => seat.rank)).toEqual([1, 2]);
    expect(result.sandbox?.root?.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
  }, 120_000);

  test("is at fault where there is none in its image", async () => {
    const [good, empty] = [image("good", { "/app/main.py": FIRST, "/app/helper.py": HELPER }), image("empty", {})];
    const { outcome } = await play(good, empty);
    expect(outcome).toMatchObject({ kind: "agent_fault", seats: [1], fault: "start" });
    expect(JSON.stringify(outcome)).toContain("the image has no agent");
  }, 120_000);
});
