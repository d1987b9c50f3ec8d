/**
 * Whether hidden material lies where those who are graded can read it: in the `files` of their boxes, in the template they start
 * from, in their opponents. Looked for by path, by content, and by what labels and seeds look like when they are written down.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { MANIFEST } from "../manifest.ts";
import type { PreparedTask } from "../task.ts";
import { type Column, holdsColumn, type Secrets, secretsOf } from "./secrets.ts";

export interface Leak {
  /** Of the task's files. */
  readonly path: string;
  readonly message: string;
}

/** Files below are too small to be known by their content. */
const TELLING_BYTES = 24;
const MAX_UNPACKED = 64 * 1024 * 1024;

interface Shown {
  readonly path: string;
  /** How it comes to be read. */
  readonly where: string;
}

/** What somebody who is graded may read. */
function shownOf({ manifest, paths }: PreparedTask): Shown[] {
  const below = (name: string, where: string): Shown[] =>
    paths.filter((path) => path === name || path.startsWith(`${name}/`)).map((path) => ({ path, where }));
  const opponents = new Set(manifest.cases.flatMap((one) => (one.kind === "environment" ? one.opponents : [])));
  return [
    ...manifest.files.flatMap((name) => below(name, "files")),
    ...(manifest.template === undefined ? [] : below(manifest.template, "template")),
    ...[...opponents].flatMap((name) => below(name, "opponents")),
  ];
}

/** What nobody who is graded may read, by the bundle's paths, and what it is. */
function hiddenOf({ manifest, paths }: PreparedTask): Map<string, string> {
  const hidden = new Map<string, string>();
  const hide = (name: string | undefined, what: string): void => {
    if (name === undefined) return;
    for (const path of paths) if (path === name || path.startsWith(`${name}/`)) hidden.set(path, what);
  };
  hide(manifest.reference, "the reference");
  hide(manifest.judge, "the judge");
  for (const one of manifest.cases) if (one.kind === "supervised") hide(one.labels, "labels");
  hide(MANIFEST, "the manifest");
  return hidden;
}

export async function findLeaks(task: PreparedTask): Promise<readonly Leak[]> {
  const hidden = hiddenOf(task);
  const contents = new Map<string, { readonly path: string; readonly what: string; readonly bytes: Buffer }>();
  for (const [path, what] of hidden) {
    const bytes = await readFile(join(task.bundle, path));
    if (bytes.length >= TELLING_BYTES) contents.set(digest(bytes), { path, what, bytes });
  }
  const secrets = secretsOf(task);
  const leaks: Leak[] = [];
  const seen = new Set<string>();
  for (const { path, where } of shownOf(task)) {
    const found = hidden.get(path);
    // A reference may well be somebody's opponent: nobody reads those.
    if (found !== undefined && !(where === "opponents" && found === "the reference")) {
      leaks.push({ path, message: `is ${found}, and ${WHERE[where]!}` });
      continue;
    }
    if (seen.has(path)) continue;
    seen.add(path);
    const bytes = unpacked(await readFile(join(task.bundle, path)));
    const messages = [...contentLeaks(bytes, [...contents.values()], where), ...secretLeaks(path, bytes, secrets)];
    for (const message of messages) leaks.push({ path, message: `${message}, and ${WHERE[where]!}` });
  }
  return leaks;
}

const WHERE: Readonly<Record<string, string>> = {
  files: "the agent may read it (files)",
  template: "students are given it (template)",
  opponents: "it plays (opponents)",
};

function digest(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function unpacked(bytes: Buffer): Buffer {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_UNPACKED });
  } catch {
    return bytes;
  }
}

function* contentLeaks(
  bytes: Buffer,
  hidden: readonly { readonly path: string; readonly what: string; readonly bytes: Buffer }[],
  where: string,
): Generator<string> {
  for (const { path, what, bytes: held } of hidden) {
    if (where === "opponents" && what === "the reference") continue;
    const trimmed = Buffer.from(held.toString("latin1").trim(), "latin1");
    if (trimmed.length >= TELLING_BYTES && bytes.includes(trimmed)) yield `holds ${what} (${path})`;
  }
}

function* secretLeaks(path: string, bytes: Buffer, secrets: Secrets): Generator<string> {
  const columns: readonly Column[] = secrets.columns;
  for (const column of columns)
    if (holdsColumn(path, bytes, column)) yield `holds the labels of the case ${column.case}, row by row`;
  const text = bytes.toString("latin1");
  for (const { case: id, what, text: secret } of secrets.texts) {
    for (let at = text.indexOf(secret); at >= 0; at = text.indexOf(secret, at + 1))
      if (!/[\w.]/.test(text[at - 1] ?? " ") && !/\w/.test(text[at + secret.length] ?? " ")) {
        yield `holds ${what} of the case ${id}`;
        break;
      }
  }
}
