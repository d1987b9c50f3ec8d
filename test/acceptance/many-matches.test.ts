/**
 * Many matches among the examples: none ends by a fault of ours, every replay verifies, and the same seed gives the same
 * replay hash, also on the other runtime. LANISTA_MATCHES says how many (default 24).
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { AgentBoxes } from "@lanista/arena/agent-boxes";
import { prepareAgent } from "@lanista/arena/agents/prepare";
import type { Contender } from "@lanista/arena/contender";
import { playMatch } from "@lanista/arena/match";
import { verifyReplay } from "@lanista/arena/replay-verify";
import { sha256 } from "@lanista/arena/sha256";
import { makeEnvironment } from "@lanista/games/environment";
import { environments } from "@lanista/games/registry";
import { parseReplay } from "@lanista/games/replay";
import { SandboxHost } from "@lanista/sandbox/host";
import { findNode, findPython } from "@lanista/sandbox/interpreters";
import { findExecutable } from "@lanista/sandbox/runtimes";
import { afterAll, beforeAll, expect, test } from "vitest";

const ROOT = resolve(import.meta.dirname, "../..");
const MATCHES = Number(process.env.LANISTA_MATCHES ?? 24);
const RUNTIMES = (["crun", "runc"] as const).filter((name) => findExecutable(name) !== undefined);

const cards = [
  {
    env: makeEnvironment(environments.get("hex")!, { size: 5 }),
    agents: [
      "python/random.py",
      "python/hex/greedy.py",
      "python/hex/search.py",
      "javascript/random.mjs",
      "javascript/hex/greedy.mjs",
      "javascript/hex/search.mjs",
      "sh/random",
    ],
  },
  {
    env: makeEnvironment(environments.get("connect-four")!),
    agents: [
      "python/random.py",
      "python/connect-four/greedy.py",
      "javascript/random.mjs",
      "javascript/connect-four/greedy.mjs",
      "sh/random",
    ],
  },
];

const dir = mkdtempSync(join(tmpdir(), "lanista-many-"));
let host: SandboxHost;
/** Runtime → card → contenders. */
const contenders = new Map<string, Contender[][]>();

beforeAll(async () => {
  host = await SandboxHost.open({ runDir: join(dir, "run") });
  const interpreters = { python: await findPython(), javascript: findNode() };
  for (const runtime of RUNTIMES) {
    const boxes = new AgentBoxes(host, { tier: "container", runtime, interpreters, guestDir: join(ROOT, "guest") });
    const byCard: Contender[][] = [];
    for (const { agents } of cards) {
      const prepared = [];
      for (const path of agents)
        prepared.push(
          await prepareAgent(join(ROOT, "examples/agents", path), { workDir: join(host.workDir, "agents") }),
        );
      byCard.push(prepared.map((agent) => boxes.contender(agent)));
    }
    contenders.set(runtime, byCard);
  }
});
afterAll(async () => {
  await host.close();
  rmSync(dir, { recursive: true, force: true });
});

test(`${MATCHES} matches: no fault of ours, every replay verifies, equal seeds give equal hashes on ${RUNTIMES.join(" and ")}`, {
  timeout: 60_000 + MATCHES * 10_000,
}, async () => {
  const tally = { played: 0, faulted: 0 };
  const began = performance.now();
  const play = async (number: number): Promise<void> => {
    const card = number % cards.length;
    const { env, agents } = cards[card]!;
    const one = Math.floor(number / cards.length) % agents.length;
    const other = (one + 1 + (Math.floor(number / cards.length / agents.length) % (agents.length - 1))) % agents.length;
    const hashes: string[] = [];
    for (const runtime of RUNTIMES) {
      const all = contenders.get(runtime)![card]!;
      const { result, replayText } = await playMatch({
        env,
        contenders: [all[one]!, all[other]!],
        seed: 1000 + number,
      });
      tally.played++;
      if (result.outcome.kind !== "completed") tally.faulted++;
      expect([number, agents[one], agents[other], result.outcome]).toEqual([
        number,
        agents[one],
        agents[other],
        { kind: "completed" },
      ]);
      expect(verifyReplay(parseReplay(replayText, sha256), environments)).toMatchObject({
        ok: true,
        hash: result.replay.hash,
      });
      hashes.push(result.replay.hash);
    }
    expect(new Set(hashes).size).toBe(1);
  };
  for (let number = 0; number * RUNTIMES.length < MATCHES; number++) await play(number);
  console.log(
    `${tally.played} matches in ${Math.round((performance.now() - began) / 1000)} s, ${tally.faulted} not completed`,
  );
  expect(tally.played).toBeGreaterThanOrEqual(MATCHES);
});
