/** What a match gives back. The JSON form of MatchResult is the document that `lanista match --json` prints. */
import { REPLAY_FAULTS, type ReplayFault } from "@lanista/games/replay-types";
import type { SandboxStamp } from "@lanista/sandbox/types";

/** What an agent can do wrong; docs/agent-protocol.md says when it is which. */
export const FAULTS = REPLAY_FAULTS;
export type Fault = ReplayFault;

/** How a match ended: exactly one of these. Scores and ranks exist for the first two alone. */
export type Outcome =
  | { readonly kind: "completed" }
  /** `seats` were at fault; `fault` and `detail` are those of the first of them. */
  | { readonly kind: "agent_fault"; readonly seats: readonly number[]; readonly fault: Fault; readonly detail: string }
  /**
   * Ours. `seat`: the seat whose box every attempt failed in, where they agree: then it waits for a person. `environment`: a
   * bundled environment did not keep to what it owes, which is its author's to mend.
   */
  | { readonly kind: "infra_fault"; readonly detail: string; readonly seat?: number; readonly environment?: true }
  /** By whoever asked for it, or, with `detail`, by a bound of the match's own (`timedOut` in the result). */
  | { readonly kind: "cancelled"; readonly detail?: string };

/** Every result is stamped with what it ran in; `limits` are those of one seat's box. Each seat's root stands with the seat. */
export type MatchStamp = Omit<SandboxStamp, "root">;

/** A bundled environment: which it was, and what it ran in. */
export interface EnvironmentResult {
  /** SHA-256 of its files, hexadecimal. */
  readonly bundle: string;
  /** null where its box did not come to life. */
  readonly sandbox: MatchStamp | null;
  /** The file that holds what it wrote to standard error, if logs were asked for and could be written. For its author alone. */
  readonly log: string | null;
}

export interface SeatResult {
  readonly agent: string;
  /** SHA-256 of the agent's files, hexadecimal; of an agent that is part of an image, the image's, empty if its box did not come to life. */
  readonly digest: string;
  /** The digest of the image that was the root of its box; absent for the host's /usr, and if its box did not come to life. */
  readonly root?: string;
  /** Sum of the returns; null after a fault of ours, when cancelled, or where the only seat was at fault. */
  readonly score: number | null;
  /** 1 is best; equals share the better rank, the guilty come last. null where `score` is. */
  readonly rank: number | null;
  /** How many faults were counted: at most 1 with on-fault `forfeit`. */
  readonly faults: number;
  /** The same by kind. */
  readonly faultKinds: Readonly<Partial<Record<Fault, number>>>;
  /** What the first of them was, for people; null where there was none. */
  readonly firstFault: string | null;
  /** The file that holds what the agent wrote to standard error, if logs were asked for and could be written. */
  readonly log: string | null;
  /** Bytes of that which were too many and not kept. The log ends in a line that says so, but an agent can write such a line itself. */
  readonly logCut: number;
  /** From its questions to its answers, in the steps that were made. */
  readonly thoughtSeconds: number;
  readonly cpuSeconds: number;
  readonly peakMemoryBytes: number;
}

export interface MatchResult {
  readonly outcome: Outcome;
  /** The environment's id. */
  readonly env: string;
  readonly envVersion: number;
  readonly options: Readonly<Record<string, number | boolean | string>>;
  /** Absent for a built-in environment. */
  readonly environment?: EnvironmentResult;
  readonly seed: number;
  readonly seats: readonly SeatResult[];
  /** Episodes that came to their end, a forfeited one included. */
  readonly episodes: number;
  /** Steps over all episodes. */
  readonly steps: number;
  /** `file` is null where none was asked for, or it could not be written; `hash` covers what a re-run reproduces. */
  readonly replay: { readonly file: string | null; readonly hash: string };
  /** The files asked for that could not be written, and why: our fault, which changes nothing about how the match ended. */
  readonly unwritten: readonly { readonly file: string; readonly error: string }[];
  /** null where no box came to life. */
  readonly sandbox: MatchStamp | null;
  /** Whether a bound of the match's own ended it: its time, or what a replay can hold. Nobody's fault, and without scores. */
  readonly timedOut: boolean;
  /** How often the match was played: above 1 after faults of ours. */
  readonly attempts: number;
  readonly wallSeconds: number;
  readonly engine: string;
}
