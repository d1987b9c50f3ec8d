import type { Sandbox } from "@lanista/sandbox/types";

/** An agent that can be seated: who it is, and a way to a fresh box with its files in it. */
export interface Contender {
  /** For people; written by a participant. */
  readonly name: string;
  /** SHA-256 of its files, hexadecimal; null where they are part of its box's root: only the box knows which that was. */
  readonly digest: string | null;
  /** The file that is started, relative to the box's agent folder. */
  readonly entry: string;
  /**
   * Starts a box of its own, in which nothing of it has run yet; whoever opens it kills it. Throws SandboxError, and
   * BundleError where the agent's files are such that no agent can be made of them: then the seat's agent does not start.
   */
  open(): Promise<Sandbox>;
}

/** Who really sat in a seat. */
export interface SeatIdentity {
  /** Empty where it is the root's, and no box came to life. */
  readonly digest: string;
  /** Of the image that was the root of its box. */
  readonly root?: string;
}

/** `sandbox`: undefined where it did not come to life. */
export function identityOf(contender: Contender, sandbox: Sandbox | undefined): SeatIdentity {
  const root = sandbox?.stamp.root?.digest;
  return {
    digest: contender.digest ?? root?.replace(/^sha256:/, "") ?? "",
    ...(root === undefined ? {} : { root }),
  };
}
