/** The words for an agent's files: what a bundle is once it was taken in, and how it can be refused. */

/** How an agent is started. An executable speaks the agent protocol itself; the others have a runner that does. */
export type AgentLanguage = "python" | "javascript" | "executable";

/** An agent's files, copied into a folder of our own and checked. Nothing of it has run. */
export interface PreparedAgent {
  /** For people: the file's or folder's name, an archive's without its ending. Not unique, and written by a participant. */
  readonly name: string;
  /** SHA-256, in hex, over the sorted relative paths and contents: equal for a folder and a zip of it. */
  readonly digest: string;
  readonly language: AgentLanguage;
  /** The file that is started, relative to `dir`, with `/` between folders. */
  readonly entry: string;
  /** Holds plain files and folders alone, modes 0644 and 0755; `run` alone is executable. */
  readonly dir: string;
  /** Bytes of all its files. */
  readonly bytes: number;
}

/** Bounds on what is taken in, whatever form it comes in. */
export interface BundleLimits {
  /** Bytes of the archive itself. */
  readonly archiveBytes: number;
  /** Bytes of all files, unpacked. */
  readonly totalBytes: number;
  /** Files and folders together. */
  readonly entries: number;
  /** Bytes of one name in UTF-8, and of a whole relative path. */
  readonly nameBytes: number;
  readonly pathBytes: number;
  /** Folders below folders. */
  readonly depth: number;
}

export const defaultBundleLimits: BundleLimits = {
  archiveBytes: 64 * 1024 * 1024,
  totalBytes: 256 * 1024 * 1024,
  entries: 5000,
  nameBytes: 200,
  pathBytes: 512,
  depth: 16,
};

export type BundleErrorCode =
  /** There is nothing at the path. */
  | "not_found"
  /** Neither a folder, nor a .zip, nor a .py, .js or .mjs file. */
  | "unsupported"
  /** Nothing in it can be started. */
  | "no_entry"
  /** A name that is absolute, leaves the folder, is not UTF-8, or is not the same on every system. */
  | "unsafe_name"
  /** A link, device, pipe or socket. */
  | "unsafe_entry"
  /** Two names that are the same, or are on a system that ignores case. */
  | "duplicate_name"
  /** Over a bound on bytes, entries, lengths or depth. */
  | "too_large"
  | "encrypted"
  /** Not an archive, truncated, damaged, or lying about itself. */
  | "corrupt";

/** A bundle was refused: the participant's doing. The message says what is wrong, where, and what to do about it. */
export class BundleError extends Error {
  override readonly name = "BundleError";
  readonly code: BundleErrorCode;

  constructor(code: BundleErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
