/** An agent whose files are part of an image: found where images have them, and played like any other. */
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeEnvironment } from "@lanista/games/environment";
import { parseReplay } from "@lanista/games/replay";
import { ticTacToe } from "@lanista/games/tic-tac-toe";
import { SandboxHost } from "@lanista/sandbox/host";
import { findPython } from "@lanista/sandbox/interpreters";
import { findExecutable } from "@lanista/sandbox/runtimes";
import { canMakeImage, makeTestImage } from "@lanista/sandbox/testing/image";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AgentBoxes } from "../agent-boxes.ts";
import type { Contender } from "../contender.ts";
import { playMatch } from "../match.ts";
import type { MatchResult } from "../result.ts";
import { sha256 } from "../sha256.ts";
import { prepareAgent } from "./prepare.ts";

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
    const interpreters = { python: await findPython("/usr/bin/python3") };
    boxes = new AgentBoxes(host, { tier: "container", interpreters, guestDir: join(ROOT, "guest") });
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

  async function playThem(contenders: readonly Contender[]): Promise<MatchResult> {
    const env = makeEnvironment(ticTacToe as never);
    const { result, replayText } = await playMatch({ env, contenders, seed: 7, attempts: 1 });
    // The replay names the same ones.
    expect(parseReplay(replayText, sha256).header.seats).toEqual(
      result.seats.map(({ agent, digest, root }) => ({ agent, digest, ...(root === undefined ? {} : { root }) })),
    );
    return result;
  }

  const play = (...images: readonly string[]): Promise<MatchResult> =>
    playThem(images.map((one, seat) => boxes.imageContender(`agent ${seat}`, one)));

  test("plays from where its image has it, with the modules beside it; each seat's image stands with the seat", async () => {
    const result = await play(
      image("agent", { "/app/agent.py": FIRST, "/app/helper.py": HELPER }),
      image("other", { "/app/agent.py": `${FIRST}# other\n`, "/app/helper.py": HELPER }),
    );
    expect(result.outcome).toEqual({ kind: "completed" });
    expect(result.seats.map((seat) => seat.rank)).toEqual([1, 2]);
    const roots = result.seats.map(({ root }) => root);
    for (const root of roots) expect(root).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(new Set(roots).size).toBe(2);
    expect(result.seats.map(({ digest }) => `sha256:${digest}`)).toEqual(roots);
  }, 120_000);

  test("is named by what was behind its reference when its box started, beside code that has no image", async () => {
    writeFileSync(join(dir, "code.py"), "def get_action(seen):\n    return list(seen['action_mask']).index(1)\n");
    const code = await prepareAgent(join(dir, "code.py"), { workDir: join(dir, "work") });
    const reference = image("moving", { "/app/agent.py": FIRST, "/app/helper.py": HELPER });
    const contenders = [boxes.contender(code), boxes.imageContender("image", reference)];
    const before = await playThem(contenders);
    writeFileSync(join(dir, "file"), `${FIRST}# moved\n`);
    const [insert, file] = [["insert", "--image", reference], join(dir, "file")];
    execFileSync("umoci", [...insert, file, "/app/agent.py"], { stdio: "pipe" });
    const after = await playThem(contenders);
    for (const { seats } of [before, after]) {
      expect(seats[0]).toMatchObject({ digest: code.digest });
      expect(seats[0]).not.toHaveProperty("root");
      expect(seats[1]!.root).toBe(`sha256:${seats[1]!.digest}`);
    }
    expect(after.seats[1]!.root).not.toBe(before.seats[1]!.root);
  }, 120_000);

  test("is at fault where there is none in its image", async () => {
    const [good, empty] = [image("good", { "/app/main.py": FIRST, "/app/helper.py": HELPER }), image("empty", {})];
    const { outcome } = await play(good, empty);
    expect(outcome).toMatchObject({ kind: "agent_fault", seats: [1], fault: "start" });
    expect(JSON.stringify(outcome)).toContain("the image has no agent");
  }, 120_000);
});
