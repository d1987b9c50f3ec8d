import { constants } from "node:fs";
import { type FileHandle, open, opendir } from "node:fs/promises";
import { join } from "node:path";
import { type Guards, guarded } from "./guards.ts";
import { BundleTree, isJunk, quote } from "./tree.ts";
import { BundleError, type BundleLimits } from "./types.ts";
import { writeFileBelow } from "./write-file.ts";

/**
 * Copies a folder's plain files into `dir`, which exists and is empty. Links are refused, not followed: what they show is
 * not the agent's own. Returns the relative paths of the files. Throws BundleError; `dir` may then be half full.
 */
export async function copyFolder(
  source: string,
  dir: string,
  limits: BundleLimits,
  guards: Guards = guarded,
): Promise<string[]> {
  const tree = new BundleTree(limits, guards);
  await walk(source, "", tree);
  const budget = { bytes: limits.totalBytes };
  const files = tree.files();
  for (const path of files) {
    const file = await openPlain(join(source, path), path);
    try {
      await writeFileBelow(dir, path, file.createReadStream({ autoClose: false }), budget);
    } finally {
      await file.close();
    }
  }
  return files;
}

/** Copies one file into `dir` under another name. Throws BundleError. */
export async function copyFile(source: string, dir: string, name: string, limits: BundleLimits): Promise<string[]> {
  const tree = new BundleTree(limits);
  const file = await open(source, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    tree.add(name, false, (await file.stat()).size);
    await writeFileBelow(dir, name, file.createReadStream({ autoClose: false }), { bytes: limits.totalBytes });
  } finally {
    await file.close();
  }
  return [name];
}

async function walk(source: string, below: string, tree: BundleTree): Promise<void> {
  const folders: string[] = [];
  for await (const entry of await opendir(join(source, below))) {
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    if (isJunk(path)) continue;
    if (entry.isDirectory()) folders.push(path);
    else if (!entry.isFile()) throw notPlain(path, entry.isSymbolicLink() ? "a link" : "neither a file nor a folder");
    tree.add(path, entry.isDirectory(), 0);
  }
  for (const folder of folders) await walk(source, folder, tree);
}

/** Looks once more at the open file: it could have been exchanged since it was listed, and a FIFO must not block. */
async function openPlain(source: string, path: string): Promise<FileHandle> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(source, flags).catch((error: NodeJS.ErrnoException) => {
    throw error.code === "ELOOP" ? notPlain(path, "a link") : error;
  });
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw notPlain(path, "neither a file nor a folder");
}

function notPlain(path: string, what: string): BundleError {
  return new BundleError(
    "unsafe_entry",
    `${quote(path)} is ${what}; an agent is made of plain files and folders: put a copy in its place or leave it out`,
  );
}
