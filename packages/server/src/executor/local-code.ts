/** Code on this host: a zip, a folder or a single file below one of the allowed folders. */
import { constants, createWriteStream } from "node:fs";
import { mkdir, open, readlink, realpath, stat } from "node:fs/promises";
import { basename, extname, join, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { LanistaError } from "@lanista/api/errors";
import { copyFolder } from "@lanista/arena/agents/copy-folder";
import { defaultBundleLimits } from "@lanista/arena/agents/types";
import { CodeTooLarge } from "./download.ts";

const SINGLE = new Set([".py", ".js", ".mjs", ".cjs"]);

/**
 * Takes the code at `path` over: a zip becomes the file `zip`, anything else files below the folder `dir`. Links on the way
 * are followed before it is asked whether the path is allowed; links in a folder are refused.
 * Throws LanistaError `invalid`, and CodeTooLarge and BundleError for what the code's owner did wrong.
 */
export async function takeLocal(
  path: string,
  folders: readonly string[],
  to: { readonly zip: string; readonly dir: string },
  maxBytes: number,
): Promise<"zip" | "files"> {
  const real = await realpath(path).catch(() => null);
  if (real === null || !(await isBelow(real, folders))) throw notAllowed();
  const found = await stat(real);
  if (found.isDirectory()) {
    await mkdir(to.dir);
    // What is over the bound in total is too large here, and a BundleError there.
    await copyFolder(real, to.dir, { ...defaultBundleLimits, totalBytes: maxBytes });
    return "files";
  }
  const ending = extname(real).toLowerCase();
  if (!found.isFile() || !(ending === ".zip" || SINGLE.has(ending)))
    throw new LanistaError("invalid", "the code is no zip, no folder and no single source file");
  if (ending === ".zip") {
    await copyBounded(real, folders, to.zip, maxBytes);
    return "zip";
  }
  await mkdir(to.dir);
  await copyBounded(real, folders, join(to.dir, `agent${ending}`), maxBytes);
  return "files";
}

async function isBelow(real: string, folders: readonly string[]): Promise<boolean> {
  for (const folder of folders) {
    const base = await realpath(folder).catch(() => null);
    if (base !== null && (real === base || real.startsWith(base.endsWith(sep) ? base : base + sep))) return true;
  }
  return false;
}

/** One answer for what is not there and for what may not be read: who asks does not learn what this host has. */
function notAllowed(): LanistaError {
  return new LanistaError("invalid", "there is no code at this path below a folder that code is read from", {
    hint: "The server's setting executor.allowFileFolders names them.",
  });
}

async function copyBounded(real: string, folders: readonly string[], to: string, maxBytes: number): Promise<void> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(real, flags).catch(() => {
    throw notAllowed();
  });
  try {
    // A folder on the way may have become a link since it was looked at: what was opened counts.
    const opened = await readlink(`/proc/self/fd/${file.fd}`).catch(() => real);
    if (!(await isBelow(opened, folders)) || !(await file.stat()).isFile()) throw notAllowed();
    let bytes = 0;
    async function* bounded(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
      for await (const chunk of source) {
        bytes += chunk.length;
        if (bytes > maxBytes) throw new CodeTooLarge(`${basename(real)} is over ${maxBytes} bytes`);
        yield chunk;
      }
    }
    await pipeline(file.createReadStream({ autoClose: false }), bounded, createWriteStream(to, { mode: 0o600 }));
  } finally {
    await file.close();
  }
}
