/** A replay in memory. docs/replay-format.md says what a file of it looks like. */
export const REPLAY_FORMAT = 1;

/** What an agent can do wrong, as replays name it. */
export const REPLAY_FAULTS = [
  "start",
  "crash",
  "timeout",
  "cpu",
  "memory",
  "pids",
  "output",
  "scratch",
  "vram",
  "illegal_action",
  "protocol",
] as const;
export type ReplayFault = (typeof REPLAY_FAULTS)[number];

export interface ReplaySeat {
  readonly agent: string;
  /** SHA-256 of the agent's files, hexadecimal; of an agent that is part of an image, the image's; empty: no box said which. */
  readonly digest: string;
  /** The digest of the image that was the root of its box, as its manifest or its engine names it; absent without one. */
  readonly root?: string;
}

export interface ReplayHeader {
  /** The engine that wrote it. */
  readonly engine: string;
  readonly env: {
    readonly id: string;
    readonly version: number;
    readonly options: Readonly<Record<string, number | boolean | string>>;
    /** SHA-256 of the files of a bundled environment, hexadecimal; absent for a built-in one. */
    readonly bundle?: string;
  };
  readonly seed: number;
  /** The two words of the environment's chance, which a match derives from its seed. */
  readonly chance: readonly [number, number];
  /** Episodes that were to be played. */
  readonly episodes: number;
  /** The match's own bound on the steps of an episode, which truncates it; absent where it had none. */
  readonly maxSteps?: number;
  readonly onFault: "forfeit" | "random";
  readonly seats: readonly ReplaySeat[];
  /** In seconds. */
  readonly limits: { readonly start: number; readonly move: number; readonly bank: number };
  readonly sandbox: { readonly tier: string; readonly runtime: string } | null;
}

/** One value for each seat; null for a seat that had no part in it. */
export type BySeat<T> = readonly (T | null)[];

/** A number or a text; in spaces that ask for it a list, flat and row-major, or a list of the parts of a Tuple or Dict. */
export type ReplayAction = number | string | readonly ReplayAction[];

export interface ReplayStep {
  readonly actions: BySeat<ReplayAction>;
  /** Milliseconds from the question to the answer. */
  readonly thinkMs: BySeat<number>;
  /** Why the action is a substitute; null where the agent chose it. Absent if all are null. */
  readonly faults?: BySeat<string>;
  /** Absent if all are zero. */
  readonly rewards?: readonly number[];
}

export interface ReplayForfeit {
  /** What each guilty seat did. */
  readonly faults: BySeat<string>;
  readonly thinkMs: BySeat<number>;
}

export interface ReplayEpisode {
  readonly steps: readonly ReplayStep[];
  /** Set if faults ended the episode, and the match. */
  readonly forfeit: ReplayForfeit | null;
  /** null: the match stopped in the middle, by a fault of ours or because it was cancelled. */
  readonly end: ReplayEpisodeEnd | null;
}

export interface ReplayEpisodeEnd {
  readonly kind: "terminated" | "truncated" | "forfeit";
  readonly returns: readonly number[];
}

export interface ReplayFinal {
  readonly outcome: "completed" | "agent_fault" | "infra_fault" | "cancelled";
  readonly scores: BySeat<number>;
  readonly ranks: BySeat<number>;
}

export interface Replay {
  readonly header: ReplayHeader;
  readonly episodes: readonly ReplayEpisode[];
  readonly final: ReplayFinal;
  /** The last value of the chain over all that a re-run reproduces. */
  readonly hash: string;
}

/** SHA-256 of the text's UTF-8 bytes, in lower-case hexadecimal. Handed in: this package has no cryptography. */
export type Sha256 = (text: string) => string;

/** A file that is no replay, or is damaged. `line` counts from 1; 0 if no line is to blame. */
export class ReplayError extends Error {
  override readonly name = "ReplayError";
  readonly line: number;

  constructor(line: number, message: string) {
    super(line > 0 ? `line ${line}: ${message}` : message);
    this.line = line;
  }
}
