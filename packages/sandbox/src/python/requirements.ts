/**
 * Reads a requirements.txt as far as it is safe and means the same everywhere: names with versions, markers and hashes. What
 * reaches beyond the configured index is refused with its line: other files, folders, addresses, other indexes.
 */
import { PackagesError } from "./packages-error.ts";

const MOST_BYTES = 256 * 1024;
const MOST_LINES = 2000;
const LONGEST_LINE = 16 * 1024;

export interface Requirements {
  /** One line each, in one order, however they were written. */
  readonly lines: readonly string[];
  /** Words for uv that come from lines which are options. */
  readonly flags: readonly string[];
}

/** Indexes that a file may name, because they are the configured ones anyway. */
export interface KnownIndexes {
  readonly indexes: readonly string[];
}

const NAME = "[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?";
const VERSION = String.raw`(?:===|==|~=|!=|<=|>=|<|>)\s*[A-Za-z0-9.*+!_-]{1,100}`;
const VERSIONS = String.raw`${VERSION}(?:\s*,\s*${VERSION})*\s*,?`;
const REQUIREMENT = new RegExp(
  String.raw`^(${NAME})\s*(\[\s*(?:${NAME}(?:\s*,\s*${NAME})*)?\s*\])?\s*(?:(${VERSIONS})|\(\s*(${VERSIONS})\s*\))?\s*(?:;\s*(\S.*))?$`,
);
const HASH = /\s--hash[=\s]\s*(sha(?:256|384|512):[0-9a-f]{64,128})(?=\s|$)/g;
const PACKAGE_LIST = new RegExp(`^(?::all:|:none:|${NAME})(?:,${NAME})*$`);

function wrong(line: number, why: string): PackagesError {
  return new PackagesError("requirements", `requirements line ${line}: ${why}`);
}

const shown = (text: string): string => (text.length > 80 ? `${text.slice(0, 80)}…` : text);

/** Lines with their numbers; a backslash at the end continues one, `#` after a blank begins a comment, as pip has it. */
function logicalLines(text: string): { text: string; line: number }[] {
  const found: { text: string; line: number }[] = [];
  let open: { text: string; line: number } | undefined;
  const physical = text.replace(/^\uFEFF/, "").split(/\r\n|\r|\n/);
  if (physical.length > MOST_LINES + 1)
    throw new PackagesError("requirements", `requirements have more than ${MOST_LINES} lines`);
  for (const [index, raw] of physical.entries()) {
    const isComment = open === undefined && /^\s*#/.test(raw);
    const continued = !isComment && raw.endsWith("\\");
    const piece = continued ? raw.slice(0, -1) : raw;
    open = { text: (open?.text ?? "") + piece, line: open?.line ?? index + 1 };
    if (open.text.length > LONGEST_LINE) throw wrong(open.line, `is longer than ${LONGEST_LINE} characters`);
    if (continued && index + 1 < physical.length) continue;
    const bare = open.text.replace(/(^|\s)#.*$/, "").trim();
    if (bare !== "") found.push({ text: bare, line: open.line });
    open = undefined;
  }
  return found;
}

function option(text: string, line: number, known: KnownIndexes): readonly string[] {
  const [, name, value = ""] = /^(--?[A-Za-z-]+)(?:\s*=\s*|\s+)?(.*)$/.exec(text) ?? [];
  switch (name) {
    case "--no-binary":
    case "--only-binary":
      if (!PACKAGE_LIST.test(value)) throw wrong(line, `${name} needs the names of packages, not "${shown(value)}"`);
      return value.split(",").flatMap((one) => [name, one]);
    case "--pre":
      return ["--prerelease", "allow"];
    case "--require-hashes":
      return ["--require-hashes"];
    case "--prefer-binary":
      return [];
    case "-i":
    case "--index-url":
    case "--extra-index-url":
      if (known.indexes.includes(value.replace(/\/*$/, "/"))) return [];
      throw wrong(line, `the package index is the host's to choose, and "${shown(value)}" is not among its own`);
    default:
      throw wrong(
        line,
        `"${shown(text)}" is not allowed: only packages of the index by name, with versions and markers`,
      );
  }
}

function requirement(text: string, line: number): string {
  const hashes = [...` ${text}`.matchAll(HASH)].map(([, hash]) => hash!);
  const rest = ` ${text}`.replace(HASH, "").trim();
  const [, name, extras, versions, bracketed, marker] = REQUIREMENT.exec(rest) ?? [];
  if (name === undefined) {
    if (/@|:\/\/|^file:/.test(rest) || /[/\\]/.test(rest.split(";")[0]!))
      throw wrong(
        line,
        `"${shown(rest)}": files, folders and addresses are not allowed, only packages of the index by name`,
      );
    throw wrong(line, `"${shown(rest)}" is no requirement: expected a name, with versions and markers`);
  }
  const wanted = (extras ?? "").replace(/[[\]\s]/g, "").toLowerCase();
  const range = (versions ?? bracketed ?? "").replace(/\s+/g, "").replace(/,$/, "");
  return [
    name.toLowerCase().replace(/[-_.]+/g, "-"),
    wanted === "" ? "" : `[${wanted.split(",").sort().join(",")}]`,
    range.split(",").sort().join(","),
    marker === undefined ? "" : ` ; ${marker.trim().replace(/\s+/g, " ")}`,
    ...hashes.sort().map((hash) => ` --hash=${hash}`),
  ].join("");
}

/** Throws PackagesError `requirements`, with the line. */
export function parseRequirements(text: string, known: KnownIndexes = { indexes: [] }): Requirements {
  if (Buffer.byteLength(text) > MOST_BYTES)
    throw new PackagesError("requirements", `requirements are longer than ${MOST_BYTES} bytes`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused
  const strange = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/.exec(text);
  if (strange !== null)
    throw wrong(text.slice(0, strange.index).split("\n").length, "holds a control character: this is no text file");
  const lines = new Set<string>();
  const flags = new Set<string>();
  for (const { text: one, line } of logicalLines(text))
    if (one.startsWith("-")) flags.add(option(one, line, known).join("\n"));
    else lines.add(requirement(one, line));
  return {
    lines: [...lines].sort(),
    flags: [...flags].sort().flatMap((words) => (words === "" ? [] : words.split("\n"))),
  };
}
