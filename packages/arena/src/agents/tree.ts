import { type Guards, guarded } from "./guards.ts";
import { BundleError, type BundleLimits } from "./types.ts";

interface Node {
  readonly path: string;
  readonly folder: boolean;
}

/** Left behind by tools; never part of an agent, and compiled files need not even be of the source beside them. */
const junk = new Set(["__pycache__", "__MACOSX", ".DS_Store", ".git"]);

/** Says whether a relative path lies in something that is left out of every bundle. */
export function isJunk(path: string): boolean {
  return path.split("/").some((name) => junk.has(name));
}

/** For messages: a hostile name cannot fill the terminal or play with it. */
export function quote(name: string): string {
  const shown = name.length > 80 ? `${name.slice(0, 77)}…` : name;
  return JSON.stringify(shown).replace(/[^\x20-\x7e…]/gu, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`);
}

/**
 * The names of a bundle, admitted one by one before a byte of them is written. It refuses with a BundleError what could
 * leave the folder, mean two things, or cost more than its bounds, whatever form the bundle came in.
 */
export class BundleTree {
  readonly #nodes = new Map<string, Node>();
  readonly #limits: BundleLimits;
  readonly #guards: Guards;
  #bytes = 0;

  constructor(limits: BundleLimits, guards: Guards = guarded) {
    this.#limits = limits;
    this.#guards = guards;
  }

  /** Relative paths of the admitted files, with `/` between folders. */
  files(): string[] {
    return [...this.#nodes.values()].filter((node) => !node.folder).map((node) => node.path);
  }

  /** `path` is relative, with `/` between folders and none at its end; `bytes` is the size of a file as far as is known. */
  add(path: string, folder: boolean, bytes: number): void {
    const names = this.#checkPath(path);
    for (let depth = 1; depth < names.length; depth++) this.#addNode(names.slice(0, depth).join("/"), true);
    this.#addNode(path, folder);
    this.#bytes += bytes;
    if (this.#bytes > this.#limits.totalBytes)
      throw new BundleError(
        "too_large",
        `the agent's files are over ${this.#limits.totalBytes} bytes with ${quote(path)}; leave out what it does not need to play`,
      );
  }

  #checkPath(path: string): string[] {
    const refuse = (why: string): never => {
      throw new BundleError("unsafe_name", `the name ${quote(path)} ${why}; rename it and hand the agent in again`);
    };
    const limits = this.#limits;
    if (Buffer.byteLength(path) > limits.pathBytes)
      throw new BundleError("too_large", `the path ${quote(path)} is over ${limits.pathBytes} bytes; shorten it`);
    if (this.#guards.has("utf8") && path.includes("\ufffd")) refuse("is not UTF-8");
    if (path.includes("\0")) refuse("holds a NUL");
    if (this.#guards.has("control") && hasControl(path)) refuse("holds control characters");
    if (this.#guards.has("backslash") && path.includes("\\"))
      refuse("holds a backslash, which is a folder on some systems");
    if (this.#guards.has("drive") && /^[A-Za-z]:/.test(path)) refuse("begins with a drive letter");
    if (this.#guards.has("absolute") && path.startsWith("/")) refuse("is absolute");
    const names = path.split("/");
    if (this.#guards.has("leaves") && names.includes("..")) refuse("leaves the agent's folder");
    if (this.#guards.has("absolute") && names.some((name) => name === "" || name === ".")) refuse("has an empty part");
    if (names.length > limits.depth)
      throw new BundleError("too_large", `${quote(path)} lies more than ${limits.depth} folders deep; flatten it`);
    for (const name of names)
      if (Buffer.byteLength(name) > limits.nameBytes)
        throw new BundleError("too_large", `the name ${quote(name)} is over ${limits.nameBytes} bytes; shorten it`);
    return names;
  }

  #addNode(path: string, folder: boolean): void {
    // One spelling for names that some systems hold for the same: case, and accents composed or not.
    const known = this.#nodes.get(this.#guards.has("case") ? path.normalize("NFC").toLowerCase() : path);
    if (known !== undefined) {
      if (known.path !== path)
        throw new BundleError(
          "duplicate_name",
          `${quote(known.path)} and ${quote(path)} are one name where case is ignored; rename one of them`,
        );
      if (known.folder && folder) return;
      if (!this.#guards.has("duplicate")) return;
      throw new BundleError("duplicate_name", `${quote(path)} is there twice; keep one of them`);
    }
    this.#nodes.set(this.#guards.has("case") ? path.normalize("NFC").toLowerCase() : path, { path, folder });
    if (this.#nodes.size > this.#limits.entries)
      throw new BundleError(
        "too_large",
        `the agent has over ${this.#limits.entries} files and folders; leave out what it does not need to play`,
      );
  }
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 32 || (code >= 127 && code < 160)) return true;
  }
  return false;
}
