/**
 * Agents' files, unpacked once for all matches that this process plays of them: a box gets a copy, so nobody ever writes
 * here. What no match uses goes, the longest unused first, when there is too much of it.
 */
import { randomUUID } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { prepareAgent } from "@lanista/arena/agents/prepare";
import type { PreparedAgent } from "@lanista/arena/agents/types";
import type { BundleCache, FetchBytes } from "./bundle-cache.ts";

const MOST_BYTES = 1024 ** 3;

export interface TakenAgent {
  readonly agent: PreparedAgent;
  /** The files may go. */
  release(): void;
}

interface Entry {
  readonly agent: PreparedAgent;
  users: number;
}

export class PreparedAgents {
  readonly #dir: string;
  readonly #bundles: BundleCache;
  /** In the order of use. */
  readonly #entries = new Map<string, Entry>();
  /** One at a time for each digest. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(dir: string, bundles: BundleCache) {
    this.#dir = dir;
    this.#bundles = bundles;
  }

  /** Throws BundleError for what the participant did wrong; whatever else it throws is ours. */
  async take(digest: string, fetch: FetchBytes, signal: AbortSignal): Promise<TakenAgent> {
    const before = this.#turns.get(digest) ?? Promise.resolve();
    const mine = before.catch(() => {}).then(() => this.#take(digest, fetch, signal));
    this.#turns.set(digest, mine);
    try {
      return await mine;
    } finally {
      if (this.#turns.get(digest) === mine) this.#turns.delete(digest);
    }
  }

  async #take(digest: string, fetch: FetchBytes, signal: AbortSignal): Promise<TakenAgent> {
    signal.throwIfAborted();
    const known = this.#entries.get(digest);
    const entry = known ?? { agent: await this.#prepare(digest, fetch, signal), users: 0 };
    entry.users++;
    this.#entries.delete(digest);
    this.#entries.set(digest, entry);
    if (known === undefined) await this.#makeRoom();
    let released = false;
    return {
      agent: entry.agent,
      release: () => {
        if (!released) entry.users--;
        released = true;
      },
    };
  }

  async #prepare(digest: string, fetch: FetchBytes, signal: AbortSignal): Promise<PreparedAgent> {
    return await this.withBundle(digest, fetch, signal, (path) => prepareAgent(path, { workDir: this.#dir }));
  }

  /** Calls `use` with the bundle's own file, a zip that is there as long as `use` runs. */
  async withBundle<T>(
    digest: string,
    fetch: FetchBytes,
    signal: AbortSignal,
    use: (path: string) => Promise<T>,
  ): Promise<T> {
    await mkdir(this.#dir, { recursive: true });
    const path = join(this.#dir, `${randomUUID()}.zip`);
    try {
      await this.#bundles.take(digest, path, fetch, signal);
      return await use(path);
    } finally {
      await rm(path, { force: true });
    }
  }

  async #makeRoom(): Promise<void> {
    let bytes = 0;
    for (const { agent } of this.#entries.values()) bytes += agent.bytes;
    for (const [digest, { agent, users }] of this.#entries) {
      if (bytes <= MOST_BYTES) return;
      if (users > 0) continue;
      this.#entries.delete(digest);
      bytes -= agent.bytes;
      await rm(agent.dir, { recursive: true, force: true });
    }
  }
}
