import { ReplayChain } from "./replay-chain.ts";
import type { ReplayEpisodeEnd, ReplayFinal, ReplayForfeit, ReplayHeader, ReplayStep, Sha256 } from "./replay-types.ts";
import { REPLAY_FORMAT } from "./replay-types.ts";

/** Hundredths of a millisecond: finer is noise, and long lines. */
function rounded(times: readonly (number | null)[]): (number | null)[] {
  return times.map((ms) => (ms === null ? null : Math.round(ms * 100) / 100));
}

/** Puts the text of a replay together, record by record, in the order in which they happened. */
export class ReplayWriter {
  readonly #lines: string[] = [];
  readonly #chain: ReplayChain;
  readonly #sha256: Sha256;
  #episode = 0;

  constructor(header: ReplayHeader, sha256: Sha256) {
    this.#sha256 = sha256;
    this.#chain = new ReplayChain(header, sha256);
    const { engine, env, seed, chance, episodes, onFault, seats, limits, sandbox } = header;
    this.#lines.push(
      JSON.stringify({
        lanista_replay: REPLAY_FORMAT,
        engine,
        env: { id: env.id, version: env.version, options: env.options },
        seed,
        chance,
        episodes,
        on_fault: onFault,
        seats: seats.map(({ agent, digest }) => ({ agent, digest })),
        limits: { start_seconds: limits.start, move_seconds: limits.move, bank_seconds: limits.bank },
        sandbox: sandbox === null ? null : { tier: sandbox.tier, runtime: sandbox.runtime },
      }),
    );
  }

  step(step: ReplayStep): void {
    this.#chain.step(step);
    const faults = step.faults === undefined ? "" : `,"f":${JSON.stringify(step.faults)}`;
    const rewards = step.rewards === undefined ? "" : `,"r":${JSON.stringify(step.rewards)}`;
    this.#lines.push(
      `{"a":${JSON.stringify(step.actions)},"t":${JSON.stringify(rounded(step.thinkMs))}${faults}${rewards}}`,
    );
  }

  forfeit(forfeit: ReplayForfeit): void {
    this.#chain.forfeit(forfeit);
    this.#lines.push(JSON.stringify({ forfeit: forfeit.faults, t: rounded(forfeit.thinkMs) }));
  }

  episode(end: ReplayEpisodeEnd): void {
    this.#chain.episode(end);
    this.#lines.push(
      JSON.stringify({ episode: this.#episode++, end: end.kind, returns: end.returns, hash: this.#chain.hash }),
    );
  }

  /** The whole text, and the hash that stands in it. */
  finish(final: ReplayFinal): { readonly text: string; readonly hash: string } {
    this.#chain.final(final);
    const { hash } = this.#chain;
    const { outcome, scores, ranks } = final;
    const last = JSON.stringify({ outcome, scores, ranks, hash }).slice(0, -1);
    const before = `${this.#lines.join("\n")}\n${last}`;
    return { text: `${before},"digest":"${this.#sha256(before)}"}\n`, hash };
  }
}
