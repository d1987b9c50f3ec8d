/**
 * Warm boxes: started ahead, waiting for an agent's files and a first line. Each is handed out once; whoever takes one owns it.
 * What dies while it waits is thrown away and replaced, more and more slowly if it keeps dying.
 */
import type { SandboxHost } from "./host.ts";
import type { Sandbox, SandboxSpec } from "./types.ts";

/**
 * How long after a take the next box is started. A start costs some milliseconds of this thread and more of a CPU, and just
 * after a take somebody waits for a first answer, which comes within a few milliseconds.
 */
const REFILL_MS = 20;
/** How long at most nothing is started after boxes that died or could not be. */
const LONGEST_PAUSE_MS = 30_000;

type Warm = Sandbox & { restartWallClock?(): void };

export class SandboxPool {
  readonly #host: SandboxHost;
  readonly #spec: SandboxSpec;
  readonly #size: number;
  readonly #ready: Warm[] = [];
  #starting = 0;
  /** How many died or could not be started since one was handed out. */
  #lost = 0;
  #pause: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(host: SandboxHost, spec: SandboxSpec, options: { readonly size: number }) {
    if (!Number.isInteger(options.size) || options.size < 1) throw new RangeError("a pool holds at least one sandbox");
    this.#host = host;
    this.#spec = spec;
    this.#size = options.size;
    this.#fill();
  }

  /** How many there are now whose program is up. */
  get warm(): number {
    return this.#ready.filter((one) => one.programUp && !one.over).length;
  }

  /** A warm sandbox if there is one, else a fresh one. Throws SandboxError as `SandboxHost.start` does. */
  async take(): Promise<Sandbox> {
    for (;;) {
      const [one] = this.#ready.splice(this.#warmest(), 1);
      setTimeout(() => this.#fill(), REFILL_MS);
      if (one === undefined) return this.#host.start(this.#spec);
      if (one.over) continue;
      this.#lost = 0;
      one.restartWallClock?.();
      return one;
    }
  }

  /** The place of the oldest that waits for its input, if one does; else of one whose program is up; else of the oldest. */
  #warmest(): number {
    const up = this.#ready.map((one) => one.programUp);
    const idle = this.#ready.findIndex((one, at) => up[at] && !one.runnable());
    return Math.max(0, idle >= 0 ? idle : up.indexOf(true));
  }

  #fill(): void {
    while (!this.#closed && this.#ready.length + this.#starting < this.#size) {
      this.#starting++;
      this.#host.start(this.#spec).then(
        (sandbox) => {
          this.#starting--;
          void sandbox.ended.then(() => {
            const at = this.#ready.indexOf(sandbox);
            if (at < 0) return;
            this.#ready.splice(at, 1);
            this.#fillLater();
          });
          if (this.#closed) sandbox.kill("the pool was closed");
          else this.#ready.push(sandbox);
        },
        () => {
          // The same error meets whoever takes the next one: `take` starts it then, and throws.
          this.#starting--;
          this.#fillLater();
        },
      );
    }
  }

  #fillLater(): void {
    this.#lost++;
    if (this.#closed || this.#pause !== undefined) return;
    this.#pause = setTimeout(
      () => {
        this.#pause = undefined;
        this.#fill();
      },
      Math.min(REFILL_MS * 2 ** this.#lost, LONGEST_PAUSE_MS),
    ).unref();
  }

  /** Kills the warm ones. Those handed out are their owners'. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#pause);
    const left = this.#ready.splice(0);
    for (const sandbox of left) sandbox.kill("the pool was closed");
    await Promise.all(left.map((sandbox) => sandbox.ended));
  }
}
