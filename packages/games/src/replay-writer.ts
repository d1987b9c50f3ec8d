import { ReplayChain } from "./replay-chain.ts";
import { MAX_REPLAY, MAX_REPLAY_LINE, MAX_REPLAY_STEPS } from "./replay-limits.ts";
import type { ReplayEpisodeEnd, ReplayFinal, ReplayForfeit, ReplayHeader, ReplayStep, Sha256 } from "./replay-types.ts";
import { REPLAY_FORMAT, ReplayError } from "./replay-types.ts";

/** Hundredths of a millisecond: finer is noise, and long lines. */
function rounded(times: readonly (number | null)[]): (number | null)[] {
  return times.map((ms) => (ms === null ? null : Math.round(ms * 100) / 100));
}

function tooLong(limit: string): never {
  throw new ReplayError(0, `the match is too long for a replay, which holds at most ${limit}: play it as several`);
}

/** Kept free for the final line, and for characters of more than one byte in the first. */
const RESERVE = 8 * MAX_REPLAY_LINE;

/**
 * Puts the text of a replay together, record by record, in the order in which they happened.
 * Every method throws ReplayError once the replay is more than the reader takes: such a match is to be played as several.
 */
export class ReplayWriter {
  readonly #lines: string[] = [];
  readonly #chain: ReplayChain;
  readonly #sha256: Sha256;
  readonly #onLine: ((line: string) => void) | undefined;
  #characters = 0;
  #steps = 0;
  #episode = 0;

  /** `onLine` is given each line, without its newline, as soon as it is written. */
  constructor(header: ReplayHeader, sha256: Sha256, onLine?: (line: string) => void) {
    this.#sha256 = sha256;
    this.#onLine = onLine;
    this.#chain = new ReplayChain(header, sha256);
    const { engine, env, seed, chance, episodes, maxSteps, onFault, seats, limits, sandbox } = header;
    if (episodes > MAX_REPLAY_STEPS) tooLong(`${MAX_REPLAY_STEPS} episodes`);
    this.#add(
      JSON.stringify({
        lanista_replay: REPLAY_FORMAT,
        engine,
        env: { id: env.id, version: env.version, options: env.options, bundle: env.bundle },
        seed,
        chance,
        episodes,
        ...(maxSteps === undefined ? {} : { max_steps: maxSteps }),
        on_fault: onFault,
        // Without a root the key is left out, and so is an environment's bundle.
        seats: seats.map(({ agent, digest, root }) => ({ agent, digest, root })),
        limits: { start_seconds: limits.start, move_seconds: limits.move, bank_seconds: limits.bank },
        sandbox: sandbox === null ? null : { tier: sandbox.tier, runtime: sandbox.runtime },
      }),
    );
  }

  #add(line: string): void {
    if (line.length > MAX_REPLAY_LINE) tooLong(`${MAX_REPLAY_LINE} characters in a line`);
    this.#characters += line.length + 1;
    if (this.#characters > MAX_REPLAY - RESERVE) tooLong(`${MAX_REPLAY - RESERVE} characters`);
    this.#lines.push(line);
    this.#onLine?.(line);
  }

  /** Whether a further step, and what must follow it, might be more than the reader takes. */
  get full(): boolean {
    return this.#steps >= MAX_REPLAY_STEPS || this.#characters > MAX_REPLAY - 2 * RESERVE;
  }

  step(step: ReplayStep): void {
    this.#chain.step(step);
    const faults = step.faults === undefined ? "" : `,"f":${JSON.stringify(step.faults)}`;
    const rewards = step.rewards === undefined ? "" : `,"r":${JSON.stringify(step.rewards)}`;
    if (++this.#steps > MAX_REPLAY_STEPS) tooLong(`${MAX_REPLAY_STEPS} steps`);
    this.#add(`{"a":${JSON.stringify(step.actions)},"t":${JSON.stringify(rounded(step.thinkMs))}${faults}${rewards}}`);
  }

  forfeit(forfeit: ReplayForfeit): void {
    this.#chain.forfeit(forfeit);
    this.#add(JSON.stringify({ forfeit: forfeit.faults, t: rounded(forfeit.thinkMs) }));
  }

  episode(end: ReplayEpisodeEnd): void {
    this.#chain.episode(end);
    this.#add(
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
    const line = `${last},"digest":"${this.#sha256(before)}"}`;
    this.#onLine?.(line);
    return { text: `${before}${line.slice(last.length)}\n`, hash };
  }
}
