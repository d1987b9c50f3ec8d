/** A server with its executor, a worker of its queue, and the Python client: what RL Arena's backend would see. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Tier } from "@lanista/sandbox/types";
import { type CallOptions, type MatchResponse, PythonClient } from "../../clients/python/executor/python-client.ts";
import { type Flags, WorkerWorld } from "./worker-world.ts";

export interface Play {
  readonly env?: string;
  /** Sources of single-file agents, by seat. */
  readonly agents: readonly string[];
  readonly id?: string;
  readonly timeoutSec?: number;
  readonly replay?: boolean;
}

export interface ReplayJson {
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly frames: readonly {
    readonly observations: Readonly<Record<string, readonly number[]>>;
    readonly actions: Readonly<Record<string, number>>;
    readonly info: { readonly faults?: Readonly<Record<string, string>> };
  }[];
  readonly version: string;
  readonly statistics: { readonly agent_stats: Readonly<Record<string, { readonly errors: number }>> };
}

export interface ExecutorSettings {
  readonly flags?: Flags;
  /** A limits.yaml. */
  readonly limits?: string;
  /** Of the worker; 0: there is none. */
  readonly concurrency?: number;
  /** Of the worker's boxes. */
  readonly tiers?: readonly Tier[];
}

export class ExecutorWorld {
  readonly world: WorkerWorld;
  readonly client: PythonClient;
  /** The folder that agents' code may be read from. */
  readonly code: string;
  readonly #folder: string;
  #count = 0;

  private constructor(world: WorkerWorld, client: PythonClient, folder: string) {
    this.world = world;
    this.client = client;
    this.#folder = folder;
    this.code = join(folder, "code");
  }

  static async open(
    venv: string,
    { flags = {}, limits = "", concurrency = 4, tiers = ["container"] }: ExecutorSettings = {},
  ): Promise<ExecutorWorld> {
    const folder = mkdtempSync(join(tmpdir(), "lanista-executor-"));
    mkdirSync(join(folder, "code"));
    const file = join(folder, "limits.yaml");
    writeFileSync(file, limits);
    const world = await WorkerWorld.open({
      "grpc.enabled": "true",
      "grpc.port": "0",
      "executor.allowFileFolders": join(folder, "code"),
      "executor.limitsFile": file,
      ...flags,
    });
    if (concurrency > 0) await world.worker({ queues: ["executor"], concurrency, tiers });
    return new ExecutorWorld(world, new PythonClient(venv, world.server.urls.grpc!), folder);
  }

  /** The path of a folder with the agent in it. */
  agent(script: string): string {
    const dir = join(this.code, `agent-${++this.#count}`);
    mkdirSync(dir);
    writeFileSync(join(dir, "agent.py"), script);
    return dir;
  }

  request({ env = "pong", agents, id = `match-${++this.#count}`, timeoutSec = 0, replay = false }: Play): object {
    return {
      match_id: id,
      environment: env,
      agents: agents.map((script, seat) => ({
        agent_id: `agent-${"abcdefgh"[seat]}`,
        code_url: this.agent(script),
        version: "1",
      })),
      timeout_sec: timeoutSec,
      record_replay: replay,
    };
  }

  start(play: Play, options: CallOptions = {}) {
    return this.client.start<MatchResponse>("RunMatch", this.request(play), options);
  }

  async play(play: Play): Promise<MatchResponse> {
    return await this.start(play).answer;
  }

  /** A replay's URL, asked of the server where it really listens. */
  async fetch(url: string, headers: Record<string, string> = {}): Promise<Response> {
    return await fetch(`${this.world.url}${new URL(url).pathname}`, { headers });
  }

  /** Its JSON form. */
  async replay(url: string): Promise<ReplayJson> {
    return (await (await this.fetch(url)).json()) as ReplayJson;
  }

  async running(): Promise<number> {
    const rows = await this.world.database.db
      .selectFrom("jobs")
      .select("id")
      .where("queue", "=", "executor")
      .where("state", "=", "running")
      .execute();
    return rows.length;
  }

  async close(): Promise<void> {
    await this.client.close();
    await this.world.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** How many processes of this host bear a name. */
export const processesNamed = (name: string): number => named(name).length;

function named(name: string): number[] {
  return readdirSync("/proc")
    .filter((entry) => /^[0-9]+$/.test(entry) && statusOf(Number(entry)).Name === name)
    .map(Number);
}

/** Empty for a process that is gone. */
function statusOf(pid: number): Readonly<Record<string, string>> {
  try {
    const lines = readFileSync(`/proc/${pid}/status`, "utf8").split("\n");
    return Object.fromEntries(lines.map((line) => line.split(":\t") as [string, string]));
  } catch {
    return {};
  }
}

/** Kills the runtimes of the boxes in which a process of this name runs; how many they were. */
export function killRuntimes(name: string): number {
  let killed = 0;
  for (const child of named(name)) {
    for (let pid = child; pid > 1; pid = Number(statusOf(pid).PPid ?? 0)) {
      if (!/^(crun|runc)$/.test(statusOf(pid).Name ?? "")) continue;
      process.kill(pid, "SIGKILL");
      killed++;
      break;
    }
  }
  return killed;
}
