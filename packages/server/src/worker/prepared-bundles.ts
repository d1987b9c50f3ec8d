/**
 * Agents' and tasks' files, unpacked once for all that this process runs of them: a box gets a copy, so nobody ever writes
 * here. What no run uses goes, the longest unused first, when there is too much of it.
 */
import { randomUUID } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { BundleCache, FetchBytes } from "./bundle-cache.ts";

const MOST_BYTES = 1024 ** 3;

export interface Unpacked {
  /** Holds all its files. */
  readonly dir: string;
  /** Of all its files. */
  readonly bytes: number;
}

export interface Taken<T> {
  readonly value: T;
  /** The files may go. */
  release(): void;
}

interface Entry<T> {
  readonly value: T;
  users: number;
}

/** Of a zip, into a folder of its own in `dir`. */
export type Unpack<T extends Unpacked> = (path: string, dir: string) => Promise<T>;

export class PreparedBundles<T extends Unpacked> {
  readonly #dir: string;
  readonly #bundles: BundleCache;
  readonly #unpack: Unpack<T>;
  /** In the order of use. */
  readonly #entries = new Map<string, Entry<T>>();
  /** One at a time for each digest. */
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(dir: string, bundles: BundleCache, unpack: Unpack<T>) {
    this.#dir = dir;
    this.#bundles = bundles;
    this.#unpack = unpack;
  }

  /** Throws what unpacking does for what its author did wrong; whatever else it throws is ours. */
  async take(digest: string, fetch: FetchBytes, signal: AbortSignal): Promise<Taken<T>> {
    const before = this.#turns.get(digest) ?? Promise.resolve();
    const mine = before.catch(() => {}).then(() => this.#take(digest, fetch, signal));
    this.#turns.set(digest, mine);
    try {
      return await mine;
    } finally {
      if (this.#turns.get(digest) === mine) this.#turns.delete(digest);
    }
  }

  async #take(digest: string, fetch: FetchBytes, signal: AbortSignal): Promise<Taken<T>> {
    signal.throwIfAborted();
    const known = this.#entries.get(digest);
    const entry = known ?? { value: await this.#prepare(digest, fetch, signal), users: 0 };
    entry.users++;
    this.#entries.delete(digest);
    this.#entries.set(digest, entry);
    if (known === undefined) await this.#makeRoom();
    let released = false;
    return {
      value: entry.value,
      release: () => {
        if (!released) entry.users--;
        released = true;
      },
    };
  }

  async #prepare(digest: string, fetch: FetchBytes, signal: AbortSignal): Promise<T> {
    return await this.withBundle(digest, fetch, signal, (path) => this.#unpack(path, this.#dir));
  }

  /** Calls `use` with the bundle's own file, a zip that is there as long as `use` runs. */
  async withBundle<Result>(
    digest: string,
    fetch: FetchBytes,
    signal: AbortSignal,
    use: (path: string) => Promise<Result>,
  ): Promise<Result> {
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
    for (const { value } of this.#entries.values()) bytes += value.bytes;
    for (const [digest, { value, users }] of this.#entries) {
      if (bytes <= MOST_BYTES) return;
      if (users > 0) continue;
      this.#entries.delete(digest);
      bytes -= value.bytes;
      await rm(value.dir, { recursive: true, force: true });
    }
  }
}
