/**
 * Theory of operation. Episodes are how an environment is played, whatever runs its rules: rules in this process (built-in.ts)
 * or a program in a sandbox of its own (bundled/). A match, a grade and a replay's verification play them, and so can
 * whoever lets a client choose the actions: nothing here knows of agents or boxes.
 *
 * An EpisodeSource is an environment with its options fixed; `open` gives Episodes, of which each plays one episode after the
 * other: `reset` begins one, `step` makes a step. Both may take time, and between them everything is there to be asked at once.
 * What takes no time gives no promise, so rules in this process pay nothing for those in a box.
 *
 * How it fails: whoever asks for a step has made sure by `legal` that its actions are legal, so what goes wrong in a step is never an
 * agent's fault. It is an EnvironmentFault: of the environment, or, by `ours`, of what runs it.
 */
import type { Chance, SeededChance } from "@lanista/games/chance";
import type { SandboxStamp } from "@lanista/sandbox/types";
import type { Action, Space } from "./spaces.ts";

/** What one seat meets. */
export interface SeatView {
  readonly action: Space;
  readonly observation: Space;
  /** Whether the seat sees an action mask; else every action of its space is legal. */
  readonly masked: boolean;
}

export interface EpisodeSource {
  readonly id: string;
  /** Raised whenever equal actions could give another episode. */
  readonly version: number;
  readonly options: Readonly<Record<string, number | boolean | string>>;
  /** SHA-256, in hex, over the files of a bundled environment; absent for a built-in one. */
  readonly bundle?: string;
  /** By seat. */
  readonly views: readonly SeatView[];
  /** The least and greatest sum of rewards of a seat in an episode; may be infinite. */
  readonly returnRange: readonly [number, number];
  readonly zeroSum: boolean;
  /** Throws EnvironmentFault, and what a sandbox refuses. Whoever opens closes. */
  open(signal?: AbortSignal): Episodes | Promise<Episodes>;
}

export interface Episodes {
  /** Begins an episode: equal streams give equal episodes. Throws EnvironmentFault, here and below. */
  reset(chance: SeededChance): void | Promise<void>;
  /** By seat: a legal action for each seat that is to act, null for the others. */
  step(actions: readonly (Action | null)[]): void | Promise<void>;
  /** Bit i: seat i is to act. 0 once the episode has ended. */
  readonly actors: number;
  /** Steps made in this episode. */
  readonly steps: number;
  /** How the episode ended; null while it goes on. */
  readonly end: "terminated" | "truncated" | null;
  /** What the last step earned the seat. */
  reward(seat: number): number;
  /** What a seat that is to act sees, as JSON. */
  observation(seat: number): string;
  /** What any seat sees, as JSON; null where the environment shows it nothing now. */
  seen(seat: number): string | null;
  /** 1 for each legal action of a seat that is to act; undefined where its view is not masked. Not to be kept. */
  mask(seat: number): Uint8Array | undefined;
  /** The action as the environment will have it; null where it is not legal for that seat now. */
  legal(seat: number, action: Action): Action | null;
  /** A legal action for a seat that is to act. */
  randomAction(seat: number, chance: Chance): Action;
  /** The position as text, for people; null where the environment has none. Never throws. */
  render(): string | null | Promise<string | null>;
  /** The box it runs in, if it has one of its own. */
  readonly box?: SandboxStamp;
  /** What the environment wrote to its log, for its author; bounded. */
  log?(): Buffer;
  /** Ends a step that is being waited for: it throws. What was opened is still to be closed. */
  cancel(): void;
  /** Releases everything. Never throws. */
  close(): void | Promise<void>;
}

/** The environment did not keep to what it owes, or what runs it failed. Nobody who plays in it is to blame. */
export class EnvironmentFault extends Error {
  override readonly name = "EnvironmentFault";
  /** Not the environment's fault, but that of what runs it: another try may do. */
  readonly ours: boolean;

  constructor(message: string, options: { readonly ours?: boolean; readonly cause?: unknown } = {}) {
    super(message, options);
    this.ours = options.ours ?? false;
  }
}
