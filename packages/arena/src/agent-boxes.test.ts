/** Whole agents, through their runners, in boxes: fresh ones and warm ones. */
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeEnvironment } from "@lanista/games/environment";
import { ticTacToe } from "@lanista/games/tic-tac-toe";
import { SandboxHost } from "@lanista/sandbox/host";
import { findNode, findPython } from "@lanista/sandbox/interpreters";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AgentBoxes, type AgentBoxesOptions } from "./agent-boxes.ts";
import { prepareAgent } from "./agents/prepare.ts";
import type { Contender } from "./contender.ts";
import { playMatch } from "./match.ts";

const env = makeEnvironment(ticTacToe as never);
const guestDir = join(import.meta.dirname, "../../../guest");
const PYTHON = `
import sys
print("loaded")
def get_action(obs):
    print("asked", file=sys.stderr)
    return int(list(obs["action_mask"]).index(1))
`;
const JAVASCRIPT =
  "export function act(obs) { console.log('asked'); return Array.from(obs.action_mask).lastIndexOf(1); }";

let dir: string;
let host: SandboxHost;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "lanista-boxes-"));
  host = await SandboxHost.open({ runDir: join(dir, "run") });
  await mkdir(join(dir, "work"));
  await writeFile(join(dir, "first.py"), PYTHON);
  await writeFile(join(dir, "last.mjs"), JAVASCRIPT);
});
afterAll(async () => {
  await host.close();
  await rm(dir, { recursive: true, force: true });
});

async function open(options: Partial<AgentBoxesOptions>): Promise<{ boxes: AgentBoxes; contenders: Contender[] }> {
  const interpreters = { python: await findPython("/usr/bin/python3"), javascript: findNode() };
  const boxes = new AgentBoxes(host, { tier: "none", interpreters, guestDir, ...options });
  const contenders: Contender[] = [];
  for (const name of ["first.py", "last.mjs"])
    contenders.push(boxes.contender(await prepareAgent(join(dir, name), { workDir: join(dir, "work") })));
  return { boxes, contenders };
}

const tiers = (["none", "container"] as const).filter((tier) => tier === "none" || existsSync("/usr/bin/crun"));

describe.each(tiers)("in the tier %s", (tier) => {
  test.each([0, 2])("agents play through their runners, with %i warm boxes", async (warm) => {
    const { boxes, contenders } = await open({ tier, warm });
    try {
      for (let match = 0; match < 2; match++) {
        const { result } = await playMatch({ env, contenders, logs: join(dir, `logs-${tier}-${warm}`) });
        expect(result.outcome).toEqual({ kind: "completed" });
        expect(result.seats.map((seat) => seat.score)).toEqual([1, -1]);
        expect(result.sandbox?.tier).toBe(tier);
        for (const { log } of result.seats)
          expect(readFileSync(log!, "utf8").match(/asked/g)!.length).toBeGreaterThan(1);
        // Without walls nobody accounts for a program that ends within one look at it.
        if (tier === "container") for (const seat of result.seats) expect(seat.cpuSeconds).toBeGreaterThan(0);
      }
    } finally {
      await boxes.close();
    }
  });
});

test("an agent whose files cannot be copied is our fault, and its box is not left behind", async () => {
  const { boxes, contenders } = await open({});
  const prepared = await prepareAgent(join(dir, "first.py"), { workDir: join(dir, "work") });
  await rm(prepared.dir, { recursive: true });
  const { result } = await playMatch({ env, contenders: [contenders[0]!, boxes.contender(prepared)], attempts: 1 });
  expect(result.outcome).toMatchObject({ kind: "infra_fault" });
  await boxes.close();
});
