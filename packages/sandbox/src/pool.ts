/**
 * Warm boxes: started, with the interpreter up and the runner loaded, waiting for an agent's files and a first line. Each
 * is handed out once; whoever takes one owns it. What dies while it waits is thrown away and replaced.
 */
import type { SandboxHost } from "./host.ts";
import type { Sandbox, SandboxSpec } from "./types.ts";

/**
 * How long after a take the next box is started. A start costs some milliseconds of this thread and more of a CPU, and just
 * after a take somebody waits for a first answer, which comes within a few milliseconds.
 */
const REFILL_MS = 20;

interface Warm {
  readonly sandbox: Sandbox & { restartWallClock?(): void };
  dead: boolean;
}

export class SandboxPool {
  readonly #host: SandboxHost;
  readonly #spec: SandboxSpec;
  readonly #size: number;
  readonly #ready: Warm[] = [];
  #starting = 0;
  #closed = false;

  constructor(host: SandboxHost, spec: SandboxSpec, options: { readonly size: number }) {
    if (!Number.isInteger(options.size) || options.size < 1) throw new RangeError("a pool holds at least one sandbox");
    this.#host = host;
    this.#spec = spec;
    this.#size = options.size;
    this.#fill();
  }

  /** How many are warm now. */
  get warm(): number {
    return this.#ready.filter((one) => !one.dead && !one.sandbox.over).length;
  }

  /** A warm sandbox if there is one, else a fresh one. Throws SandboxError as `SandboxHost.start` does. */
  async take(): Promise<Sandbox> {
    for (;;) {
      const one = this.#ready.shift();
      setTimeout(() => this.#fill(), REFILL_MS);
      if (one === undefined) return this.#host.start(this.#spec);
      if (one.dead || one.sandbox.over) continue;
      one.sandbox.restartWallClock?.();
      return one.sandbox;
    }
  }

  #fill(): void {
    while (!this.#closed && this.#ready.length + this.#starting < this.#size) {
      this.#starting++;
      this.#host.start(this.#spec).then(
        (sandbox) => {
          this.#starting--;
          const one: Warm = { sandbox, dead: false };
          void sandbox.ended.then(() => {
            one.dead = true;
            const at = this.#ready.indexOf(one);
            if (at >= 0) this.#ready.splice(at, 1);
          });
          if (this.#closed) sandbox.kill("the pool was closed");
          else this.#ready.push(one);
        },
        () => {
          // The same error meets whoever takes the next one: `take` starts it then, and throws.
          this.#starting--;
        },
      );
    }
  }

  /** Kills the warm ones. Those handed out are their owners'. */
  async close(): Promise<void> {
    this.#closed = true;
    const left = this.#ready.splice(0);
    for (const { sandbox } of left) sandbox.kill("the pool was closed");
    await Promise.all(left.map(({ sandbox }) => sandbox.ended));
  }
}
