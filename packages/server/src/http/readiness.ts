/**
 * Whether this server can do its work, for `/readyz`, gRPC's health service and whoever else asks. Anybody may ask, as often as he
 * likes, so database and store are looked at once a second at most, and what was found holds until then.
 */
import { sql } from "kysely";
import type { App } from "../app.ts";

const CHECK_MS = 3_000;
const HOLDS_MS = 1_000;

export class Readiness {
  readonly #app: App;
  #leaving = false;
  #looked: { readonly at: number; readonly missing: Promise<readonly string[]> } | undefined;

  constructor(app: App) {
    this.#app = app;
  }

  /** From now on it is not ready, though it goes on answering: balancers are to look elsewhere before it ends. */
  leave(): void {
    this.#leaving = true;
  }

  /** What is missing, in single words; nothing of errors' texts. Never rejects. */
  async missing(): Promise<readonly string[]> {
    if (this.#leaving || this.#app.stopping.aborted) return ["stopping"];
    const now = performance.now();
    if (this.#looked === undefined || now - this.#looked.at > HOLDS_MS)
      this.#looked = { at: now, missing: look(this.#app) };
    return await this.#looked.missing;
  }
}

async function look({ db, store }: App): Promise<readonly string[]> {
  const checks = { database: () => sql`SELECT 1`.execute(db), store: () => store.check() };
  const found = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => ((await within(check)) ? [] : [name])),
  );
  return found.flat();
}

async function within(check: () => Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, CHECK_MS, false);
  });
  const done = check().then(
    () => true,
    () => false,
  );
  return await Promise.race([done, late]).finally(() => clearTimeout(timer));
}
