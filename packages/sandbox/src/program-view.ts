/**
 * Whether a box's program runs, as the kernel tells it. A runtime puts the program's filter of system calls on itself as its
 * last deed before it becomes the program, and nobody can take a filter off: so a program cannot look as if it had not begun.
 */
import { readFileSync } from "node:fs";

/**
 * `filtered`: the program is a process of ours, in this many pid namespaces, our own among them. `traced`: it lives in gVisor's
 * kernel, which filters itself before it lets the program go, and traces the processes that lend the program their memory.
 */
export type ProgramSign = { readonly kind: "filtered"; readonly namespaces: number } | { readonly kind: "traced" };

interface Status {
  readonly dead: boolean;
  readonly tracer: number;
  readonly namespaces: number;
  /** How many filters it has; undefined on a kernel that says only whether there are any. */
  readonly filters: number | undefined;
  readonly filtered: boolean;
}

function statusOf(pid: number | "self"): Status | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return undefined; // It has gone.
  }
  const word = (name: string): string | undefined => new RegExp(`^${name}:\\s+(.*)$`, "m").exec(text)?.[1];
  const filters = word("Seccomp_filters");
  return {
    // A first thread that has ended looks dead, though others may run on.
    dead: /^[ZX]/.test(word("State") ?? "") && Number(word("Threads") ?? 0) <= 1,
    tracer: Number(word("TracerPid") ?? 0),
    namespaces: (word("NSpid") ?? "").split(/\s+/).length,
    filters: filters === undefined ? undefined : Number(filters),
    filtered: word("Seccomp") === "2",
  };
}

/** This process may have filters itself, which everything that it starts has too. */
function ownFilter(status: Status): boolean {
  const own = statusOf("self");
  if (status.filters !== undefined) return status.filters > (own?.filters ?? 0);
  return own?.filtered === true || status.filtered;
}

export class ProgramView {
  readonly #sign: ProgramSign;
  readonly #pids: () => readonly number[];
  #seen = false;
  #glances = 0;

  constructor(sign: ProgramSign, pids: () => readonly number[]) {
    this.#sign = sign;
    this.#pids = pids;
  }

  /** Whether it has begun; it stays true. One that has come and gone between two looks was not seen. */
  get up(): boolean {
    this.#seen ||= this.#runs();
    return this.#seen;
  }

  /**
   * One of many looks in a row, of which the first, second, fourth, eighth … is taken: a hundred boxes may be starting at once. What
   * `spoke` was the program.
   */
  glance(spoke: boolean): void {
    if (this.#seen) return;
    this.#glances++;
    if (spoke) this.#seen = true;
    else if ((this.#glances & (this.#glances - 1)) === 0) void this.up;
  }

  /** Whether it had begun and has gone. */
  get gone(): boolean {
    return this.#seen && !this.#runs();
  }

  #runs(): boolean {
    const sign = this.#sign;
    return this.#pids().some((pid) => {
      const status = statusOf(pid);
      if (status === undefined || status.dead) return false;
      if (sign.kind === "filtered") return status.namespaces === sign.namespaces && ownFilter(status);
      const tracer = status.tracer > 0 ? statusOf(status.tracer) : undefined;
      return tracer !== undefined && ownFilter(tracer);
    });
  }
}
