/**
 * The built sets on disk, `<cache>/packages`:
 *
 *   sets/<key>/set.json, root/      complete, for it appeared by a rename; `root` is what boxes see at /packages
 *   sets/<key>/collecting           somebody is about to remove it, and looks whether it is in use once more
 *   leases/<key>/<owner>.<random>   a process uses it; the owner's name tells whether that process lives
 *   locks/<key>                     held while it is built or collected (file-lock.ts)
 *   stage/<owner>.<random>/         half-built, or half-removed: goes with the next process that opens, if its owner is dead
 *   uv/, facts/                     uv itself; what is known of interpreters (python-facts.ts)
 *
 * Whoever wants a set writes his lease first, and looks for set.json and `collecting` then; whoever collects writes `collecting`
 * first, and looks for leases then. So one of the two always sees the other; he who wants then waits for the lock.
 */
import { randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { SandboxError } from "../errors.ts";
import { isDeadOwner } from "../owners.ts";

const FOLDERS = ["sets", "leases", "locks", "stage", "uv", "facts"] as const;
const KEY = /^[0-9a-f]{64}$/;
/** A lease is renewed every hour: one of another pid namespace, of which nothing else can be known, is dead after so long. */
export const LEASE_RENEWAL_MS = 60 * 60_000;
const LEASE_MS = 24 * LEASE_RENEWAL_MS;

const described = z.object({
  format: z.literal(1),
  key: z.string().regex(KEY),
  requirements: z.array(z.string()),
  /** What is in it, as its own files call themselves: "numpy==2.1.0". */
  packages: z.array(z.string()),
  python: z.string(),
  uv: z.string(),
  bytes: z.number(),
  files: z.number(),
  builtAt: z.string(),
  buildSeconds: z.number(),
});
export type SetDescription = z.infer<typeof described>;

export interface StoredSet extends SetDescription {
  readonly usedAt: Date;
  readonly inUse: boolean;
}

export class PackageStore {
  readonly folder: string;
  readonly #owner: string;

  /** `owner`: the name of this host process. Throws SandboxError `refused` for a folder that is not ours alone. */
  constructor(folder: string, owner: string) {
    if (/[:,\\'\n]/.test(folder))
      throw new SandboxError("refused", `the cache folder's path may not contain : , \\ ' or a line break: ${folder}`);
    this.folder = folder;
    this.#owner = owner;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { uid, mode } = statSync(folder);
    if (uid !== (process.getuid?.() ?? 0) || (mode & 0o077) !== 0)
      throw new SandboxError(
        "refused",
        `${folder} belongs to another user, or others may get into it; remove it, or set LANISTA_CACHE_DIR`,
      );
    for (const name of FOLDERS) mkdirSync(join(folder, name), { recursive: true, mode: 0o700 });
  }

  lockPath(key: string): string {
    return join(this.folder, "locks", key);
  }

  place(key: string): string {
    return join(this.folder, "sets", key);
  }

  /** A name in `stage` that tells whose it is; nothing is there yet. */
  stagePath(): string {
    return join(this.folder, "stage", this.#name());
  }

  #name(): string {
    return `${this.#owner}.${randomBytes(4).toString("hex")}`;
  }

  /** Undefined where there is none, or one that is about to go: then only who holds its lock may know. */
  ready(key: string): SetDescription | undefined {
    if (existsSync(join(this.place(key), "collecting"))) return undefined;
    return this.#describe(key);
  }

  /** For who holds the lock: what a killed collector began is undone. */
  readyLocked(key: string): SetDescription | undefined {
    rmSync(join(this.place(key), "collecting"), { force: true });
    return this.#describe(key);
  }

  #describe(key: string): SetDescription | undefined {
    try {
      return described.parse(JSON.parse(readFileSync(join(this.place(key), "set.json"), "utf8")));
    } catch {
      return undefined;
    }
  }

  /** Says when it was last used, by its file's time. */
  touch(key: string): void {
    try {
      utimesSync(join(this.place(key), "set.json"), new Date(), new Date());
    } catch {
      // It has gone: then nothing depends on when it was used.
    }
  }

  /** The lease's file; renewed by `renew`, ended by removing it. */
  lease(key: string): string {
    const folder = join(this.folder, "leases", key);
    const path = join(folder, this.#name());
    for (;;)
      try {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        writeFileSync(path, "", { flag: "wx" });
        return path;
      } catch (error) {
        // A collector removed the empty folder in between.
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      }
  }

  isLeased(key: string): boolean {
    const folder = join(this.folder, "leases", key);
    let alive = false;
    for (const name of existsSync(folder) ? readdirSync(folder) : []) {
      const path = join(folder, name);
      const found = statSync(path, { throwIfNoEntry: false });
      if (found === undefined) continue;
      if (isDeadOwner(name.slice(0, name.lastIndexOf("."))) || Date.now() - found.mtimeMs > LEASE_MS) unlinkSync(path);
      else alive = true;
    }
    return alive;
  }

  /** What is there, the longest unused first. */
  list(): StoredSet[] {
    return readdirSync(join(this.folder, "sets"))
      .filter((name) => KEY.test(name))
      .flatMap((key) => {
        const found = this.#describe(key);
        const used = statSync(join(this.place(key), "set.json"), { throwIfNoEntry: false });
        if (found === undefined || used === undefined) return [];
        return { ...found, usedAt: used.mtime, inUse: this.isLeased(key) };
      })
      .sort((a, b) => a.usedAt.getTime() - b.usedAt.getTime());
  }

  /** For who holds the set's lock. False if somebody uses it. */
  async remove(key: string): Promise<boolean> {
    const mark = join(this.place(key), "collecting");
    writeFileSync(mark, "");
    if (this.isLeased(key)) {
      rmSync(mark, { force: true });
      return false;
    }
    const grave = this.stagePath();
    await rename(this.place(key), grave);
    await rm(grave, { recursive: true, force: true });
    await rm(join(this.folder, "leases", key), { recursive: true, force: true });
    return true;
  }

  /** Removes what dead processes left half-built, and says how much that was. */
  async sweep(): Promise<number> {
    let count = 0;
    for (const folder of ["stage", "uv"])
      for (const name of readdirSync(join(this.folder, folder))) {
        const owner = /^(.*)\.[0-9a-f]{8}$/.exec(name)?.[1];
        if (owner === undefined || !isDeadOwner(owner)) continue;
        await rm(join(this.folder, folder, name), { recursive: true, force: true });
        count++;
      }
    return count;
  }
}
