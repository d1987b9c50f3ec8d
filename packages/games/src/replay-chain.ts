import type { ReplayEpisodeEnd, ReplayFinal, ReplayForfeit, ReplayHeader, ReplayStep, Sha256 } from "./replay-types.ts";

/** Object keys in order, so that equal options give equal texts. */
function sorted(object: Readonly<Record<string, unknown>>): unknown[] {
  return Object.keys(object)
    .sort()
    .map((key) => [key, object[key]]);
}

/**
 * The hash chain over what a re-run reproduces: each link is the SHA-256 of the link before, a newline, and one record as
 * a JSON array. Times, names and the sandbox have no part in it, so that the same match on another runtime has the same hash.
 */
export class ReplayChain {
  readonly #sha256: Sha256;
  #link: string;

  constructor(header: ReplayHeader, sha256: Sha256) {
    this.#sha256 = sha256;
    const { env } = header;
    this.#link = sha256(
      JSON.stringify([
        "lanista-replay",
        1,
        env.id,
        env.version,
        sorted(env.options),
        header.seed,
        header.chance,
        header.episodes,
        header.onFault,
        header.seats.length,
        ...(header.maxSteps === undefined ? [] : [header.maxSteps]),
        ...(env.bundle === undefined ? [] : [{ bundle: env.bundle }]),
      ]),
    );
  }

  #add(record: readonly unknown[]): void {
    this.#link = this.#sha256(`${this.#link}\n${JSON.stringify(record)}`);
  }

  step(step: ReplayStep): void {
    this.#add(["step", step.actions, step.faults ?? [], step.rewards ?? []]);
  }

  forfeit(forfeit: ReplayForfeit): void {
    this.#add(["forfeit", forfeit.faults]);
  }

  episode(end: ReplayEpisodeEnd): void {
    this.#add(["episode", end.kind, end.returns]);
  }

  final(final: ReplayFinal): void {
    this.#add(["final", final.outcome, final.scores, final.ranks]);
  }

  get hash(): string {
    return this.#link;
  }
}
