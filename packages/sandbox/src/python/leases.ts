/** The leases of one process: a file for each set that it uses, however often it does. */
import { rmSync, utimesSync } from "node:fs";
import { LEASE_RENEWAL_MS, type PackageStore } from "./package-store.ts";

export class Leases {
  readonly #store: PackageStore;
  readonly #held = new Map<string, { readonly path: string; count: number }>();
  readonly #renewal: NodeJS.Timeout;

  constructor(store: PackageStore) {
    this.#store = store;
    this.#renewal = setInterval(() => {
      for (const { path } of this.#held.values()) utimesSync(path, new Date(), new Date());
    }, LEASE_RENEWAL_MS);
    this.#renewal.unref();
  }

  /** Returns what ends it; a second call of that does nothing. */
  take(key: string): () => void {
    const held = this.#held.get(key) ?? { path: this.#store.lease(key), count: 0 };
    held.count++;
    this.#held.set(key, held);
    let over = false;
    return () => {
      if (over) return;
      over = true;
      if (--held.count > 0 || this.#held.get(key) !== held) return;
      this.#held.delete(key);
      this.#store.touch(key);
      rmSync(held.path, { force: true });
    };
  }

  close(): void {
    clearInterval(this.#renewal);
    for (const { path } of this.#held.values()) rmSync(path, { force: true });
    this.#held.clear();
  }
}
