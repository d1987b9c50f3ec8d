/**
 * The boxes that legacy bundles are graded in. All are started with one program that learns from its first frame what it is
 * (guest/legacy/box.py), so the same warm boxes serve as grader's and agent's. Results are read in boxes of another kind, with
 * nothing of the bundle's in them, not even its packages.
 */
import { join } from "node:path";
import type { SandboxHost } from "@lanista/sandbox/host";
import { SandboxPool } from "@lanista/sandbox/pool";
import type { PackageSet } from "@lanista/sandbox/python/package-sets";
import type { ReadOnlyMount, Sandbox, SandboxSpec } from "@lanista/sandbox/types";
import { GUEST_DIR } from "../agents/command.ts";
import { copyIn } from "../agents/copy-in.ts";
import type { LegacyBoxesOptions } from "./types.ts";

const MiB = 1024 * 1024;
/** A box's /tmp holds the bundle's folder, which may be as large as bundles may be, and what it writes. */
const SCRATCH = 512 * MiB;
/** Beyond the bundle's own memory: what carries its frames, and files in /tmp. */
const ROOM = SCRATCH + 64 * MiB;
/** Where a bundle has no limit. */
const MOST_MEMORY = 8 * 1024 * MiB;
const READER_MEMORY = 128 * MiB;
const DAY = 86_400;
/** Pools of other limits and packages than these last ones are closed. */
const MOST_POOLS = 4;

// As for agents (agents/command.ts); one malloc arena, since each takes 64 MiB of the address space that aiVLE limits.
const ENVIRONMENT = {
  PATH: "/usr/local/bin:/usr/bin:/bin",
  HOME: "/tmp",
  LANG: "C.UTF-8",
  PYTHONHASHSEED: "0",
  OPENBLAS_NUM_THREADS: "1",
  OMP_NUM_THREADS: "1",
  MKL_NUM_THREADS: "1",
  MALLOC_ARENA_MAX: "1",
};

export interface BoxKind {
  readonly packages: PackageSet | null;
  /** 0: no limit of the bundle's. */
  readonly ramBytes: number;
  readonly vramBytes?: number;
}

const keyOf = ({ packages, ramBytes, vramBytes }: BoxKind): string =>
  `${packages?.key ?? ""}:${ramBytes}:${vramBytes ?? ""}`;

export class LegacyBoxes {
  readonly options: LegacyBoxesOptions;
  readonly #host: SandboxHost;
  readonly #pools = new Map<string, SandboxPool>();
  readonly #closing = new Set<Promise<void>>();

  constructor(host: SandboxHost, options: LegacyBoxesOptions) {
    this.#host = host;
    this.options = options;
  }

  get workDir(): string {
    return join(this.#host.workDir, "legacy");
  }

  /** A box with these files in /agent, which waits for its first frame. Throws what a start throws. */
  async take(kind: BoxKind, files: { readonly dir: string; readonly bytes: number }): Promise<Sandbox> {
    const box = await this.#take(keyOf(kind), () => this.#spec(kind));
    try {
      await copyIn(files, box.agentDir);
      return box;
    } catch (error) {
      box.kill("its files could not be copied");
      await box.ended;
      throw error;
    }
  }

  takeReader(): Promise<Sandbox> {
    return this.#take("reader", () => ({
      ...this.#common([this.#guest()], READER_MEMORY),
      argv: [this.options.python.path, "-I", "-S", "-B", `${GUEST_DIR}/legacy/read_result.py`],
      mounts: [...this.options.python.mounts, this.#guest()],
    }));
  }

  /** Makes the boxes of a kind ready ahead, where boxes are kept warm. */
  warm(kind: BoxKind): void {
    if ((this.options.warm ?? 0) === 0) return;
    this.#pool(keyOf(kind), () => this.#spec(kind));
  }

  #spec({ packages, ramBytes, vramBytes }: BoxKind): SandboxSpec {
    const { python, gpus } = this.options;
    const mounts = [...python.mounts, this.#guest(), ...(packages?.mounts ?? [])];
    const memory = Math.min(ramBytes === 0 ? MOST_MEMORY : ramBytes + ROOM, MOST_MEMORY + ROOM);
    const common = this.#common(mounts, memory);
    return {
      ...common,
      ...(gpus === undefined ? {} : { gpus }),
      // For the first of the grader's processes, which most graders have one of.
      channel: true,
      limits: { ...common.limits, ...(vramBytes === undefined ? {} : { vramBytes }) },
      argv: [packages?.python ?? python.path, "-s", "-B", "-X", "utf8", `${GUEST_DIR}/legacy/box.py`],
    };
  }

  #common(mounts: readonly ReadOnlyMount[], memoryBytes: number): Omit<SandboxSpec, "argv"> {
    const { tier, runtime, giveUp, cpus = 1 } = this.options;
    return {
      tier,
      ...(runtime === undefined ? {} : { runtime }),
      ...(giveUp === undefined ? {} : { giveUp }),
      env: ENVIRONMENT,
      mounts: unique(mounts),
      limits: {
        cpus,
        memoryBytes,
        wallSeconds: DAY,
        cpuSeconds: DAY,
        pids: 256,
        openFiles: 1024,
        scratchBytes: SCRATCH,
        scratchInodes: 65_536,
        shmBytes: 64 * MiB,
        // Questions and answers are output too; what a bundle prints is bounded where it is kept.
        outputBytes: Number.MAX_SAFE_INTEGER,
      },
    };
  }

  #guest(): ReadOnlyMount {
    return { source: this.options.guestDir, target: GUEST_DIR };
  }

  #take(key: string, spec: () => SandboxSpec): Promise<Sandbox> {
    return (this.options.warm ?? 0) === 0 ? this.#host.start(spec()) : this.#pool(key, spec).take();
  }

  #pool(key: string, spec: () => SandboxSpec): SandboxPool {
    const known = this.#pools.get(key);
    this.#pools.delete(key);
    // A grading takes two boxes of its kind, and one reader.
    const size = (this.options.warm ?? 0) * (key === "reader" ? 1 : 2);
    const pool = known ?? new SandboxPool(this.#host, spec(), { size });
    this.#pools.set(key, pool);
    for (const [old, one] of this.#pools) {
      if (this.#pools.size <= MOST_POOLS || old === "reader" || old === key) continue;
      this.#pools.delete(old);
      const closing: Promise<void> = one.close().finally(() => this.#closing.delete(closing));
      this.#closing.add(closing);
      break;
    }
    return pool;
  }

  /** Kills the warm boxes. Those of gradings are theirs. */
  async close(): Promise<void> {
    await Promise.all([...this.#closing, ...[...this.#pools.values()].map((pool) => pool.close())]);
    this.#pools.clear();
  }
}

function unique(mounts: readonly ReadOnlyMount[]): ReadOnlyMount[] {
  return [...new Map(mounts.map((mount) => [mount.target, mount])).values()];
}
