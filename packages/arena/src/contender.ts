import type { Sandbox } from "@lanista/sandbox/types";

/** An agent that can be seated: who it is, and a way to a fresh box with its files in it. */
export interface Contender {
  /** For people; written by a participant. */
  readonly name: string;
  /** SHA-256 of its files, hexadecimal. */
  readonly digest: string;
  /** The file that is started, relative to the box's agent folder. */
  readonly entry: string;
  /**
   * Starts a box of its own, in which nothing of it has run yet; whoever opens it kills it. Throws SandboxError, and
   * BundleError where the agent's files are such that no agent can be made of them: then the seat's agent does not start.
   */
  open(): Promise<Sandbox>;
}
