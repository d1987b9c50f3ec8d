/**
 * RunMatch by concurrent callers, against `lanista serve` with its embedded worker and database, each a process of its own:
 * calls a second and how long they took; and one caller alone. The matches are short (seven moves of connect-four, agents in
 * Python, a fresh box for each), so that what is seen is what surrounds a match. Prints JSON.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { Executor, MatchStatus } from "@lanista/api/gen/executor/executor_pb";
import { type Figure, percentile, type Report, spread } from "./lib/figures.ts";
import { scaled } from "./lib/rounds.ts";

const CALLERS = 16;
const SECONDS = scaled(20);
const ALONE = scaled(30);
const LEFTMOST = `
def get_action(obs):
    return [i for i, legal in enumerate(obs["action_mask"]) if legal][0]
`;
const RIGHTMOST = LEFTMOST.replace("[0]", "[-1]");

const folder = mkdtempSync(join(tmpdir(), "lanista-bench-"));
const agents = [LEFTMOST, RIGHTMOST].map((script, seat) => {
  const dir = join(folder, "code", `agent-${seat}`);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "agent.py"), script);
  return { agentId: `agent-${seat}`, codeUrl: dir };
});
const server = spawn(
  process.execPath,
  [
    "--conditions=lanista-source",
    join(import.meta.dirname, "../packages/cli/src/main.ts"),
    "serve",
    "--json",
    ...["--data-dir", join(folder, "data"), "--http-port", "0", "--grpc-port", "0", "--metrics-enabled", "false"],
    ...["--executor-allow-file-folders", join(folder, "code"), "--executor-max-concurrent", String(CALLERS)],
    ...["--log-level", "error"],
  ],
  { stdio: ["ignore", "pipe", "inherit"] },
);
try {
  const client = createClient(Executor, createGrpcTransport({ baseUrl: await grpcUrl(server) }));
  while (!(await client.healthCheck({})).healthy) await sleep(100);
  let count = 0;
  const call = async (): Promise<number> => {
    const began = performance.now();
    const answer = await client.runMatch({ matchId: `m-${++count}`, environment: "connect-four", agents });
    if (answer.status !== MatchStatus.STATUS_SUCCESS || answer.totalSteps !== 7)
      throw new Error(`not the match that was asked for: ${JSON.stringify(answer)}`);
    return performance.now() - began;
  };
  for (let warm = 0; warm < CALLERS; warm++) await call();
  const alone: number[] = [];
  for (let one = 0; one < ALONE; one++) alone.push(await call());
  const together: number[] = [];
  const began = performance.now();
  await Promise.all(
    Array.from({ length: CALLERS }, async () => {
      while (performance.now() - began < SECONDS * 1000) together.push(await call());
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  const figures: Figure[] = [
    {
      what: `RunMatch, ${CALLERS} callers at once`,
      unit: "calls/s",
      values: { ours: spread([together.length / seconds]) },
    },
    {
      what: `RunMatch, ${CALLERS} callers at once: p99`,
      unit: "ms",
      values: { ours: spread([percentile(together, 0.99)]) },
    },
    { what: "RunMatch, one caller", unit: "ms", values: { ours: spread(alone) } },
  ];
  const report: Report = {
    benchmark: "executor",
    figures,
    goals: [],
    notes: ["a match of seven moves: two fresh boxes with Python agents, played by the embedded worker of one server"],
  };
  console.log(JSON.stringify(report));
} finally {
  server.kill("SIGTERM");
  await new Promise((ended) => server.once("exit", ended));
  rmSync(folder, { recursive: true, force: true });
}

/** From the document that the server prints when it is up. */
async function grpcUrl({ stdout }: ChildProcess): Promise<string> {
  let text = "";
  for await (const chunk of stdout!) {
    text += String(chunk);
    if (!text.trimEnd().endsWith("}")) continue;
    return (JSON.parse(text) as { grpc: string }).grpc;
  }
  throw new Error("the server did not start");
}
