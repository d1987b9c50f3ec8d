/**
 * Unpacked images, one folder for each digest: `<cache>/roots/sha256-<hex>/rootfs`. Each is unpacked once, by umoci, without
 * root's powers whoever we are: all files are ours, devices become nothing. A folder appears under its name when it is
 * complete, by a rename; whoever comes second with the same image throws his own work away. What is half-built stands under a
 * name of its owner's, and goes with the next who builds.
 *
 * The folder is ours alone (mode 0700): an image may hold a set-user program, and other users must not get at it.
 */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { SandboxError } from "../errors.ts";
import { isDeadOwner } from "../owners.ts";
import { needExecutable } from "../runtimes.ts";
import { type Image, readImage } from "./image.ts";
import { ImageFiles, takeOut } from "./image-files.ts";
import { copyLayers, type ImageBounds, TAG } from "./layers.ts";
import { tidy } from "./tidy.ts";

const run = promisify(execFile);

const GiB = 1024 ** 3;
export const defaultBounds: ImageBounds = { bytes: 16 * GiB, entries: 1_000_000 };
const UNPACK_MS = 15 * 60_000;

export interface UnpackedRoot {
  readonly digest: string;
  /** Read-only by agreement: it is the lower layer of many boxes. */
  readonly folder: string;
}

/** LANISTA_CACHE_DIR, /var/cache/lanista for root, a folder of the user's for others. */
export function cacheFolder(): string {
  const chosen = process.env.LANISTA_CACHE_DIR;
  if (chosen !== undefined && chosen !== "") return resolve(chosen);
  if (process.getuid?.() === 0) return "/var/cache/lanista";
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "lanista");
}

interface Source {
  readonly path: string;
  readonly tag: string | undefined;
  /** Changes when the file does. */
  readonly state: string;
  readonly isFolder: boolean;
}

function sourceOf(image: string): Source {
  const colon = image.lastIndexOf(":");
  const split = !existsSync(image) && colon > image.lastIndexOf("/");
  const path = resolve(split ? image.slice(0, colon) : image);
  const tag = split ? image.slice(colon + 1) : undefined;
  const stat = statSync(path, { throwIfNoEntry: false, bigint: true });
  if (stat === undefined || !(stat.isDirectory() || stat.isFile()))
    throw new SandboxError(
      "refused",
      `there is no image at ${path}: it must be an image layout's folder, or an archive`,
    );
  return { path, tag, state: `${path} ${tag} ${stat.ino} ${stat.size} ${stat.mtimeNs}`, isFolder: stat.isDirectory() };
}

export class RootCache {
  readonly #folder: string;
  readonly #owner: string;
  readonly #bounds: ImageBounds;
  /** Archives are read through to learn their digest: once each, while they do not change. */
  readonly #known = new Map<string, string>();
  readonly #making = new Map<string, Promise<UnpackedRoot>>();

  /** `owner`: the name of this host process, for what it has half-built. */
  constructor(owner: string, folder: string = cacheFolder(), bounds: ImageBounds = defaultBounds) {
    if (/[:,\\'\n]/.test(folder))
      throw new SandboxError("refused", `the cache folder's path may not contain : , \\ ' or a line break: ${folder}`);
    this.#folder = join(folder, "roots");
    this.#owner = owner;
    this.#bounds = bounds;
  }

  /** Throws SandboxError: `refused` for an image that cannot be used, or without umoci; `fault` for what broke. */
  async get(image: string): Promise<UnpackedRoot> {
    const source = sourceOf(image);
    const digest = this.#known.get(source.state);
    if (digest !== undefined && existsSync(this.#place(digest))) return this.#root(digest);
    const key = source.state;
    let making = this.#making.get(key);
    if (making === undefined) {
      making = this.#make(source).finally(() => this.#making.delete(key));
      this.#making.set(key, making);
    }
    const root = await making;
    // A folder's state does not tell of changes in it: it is read each time.
    if (!source.isFolder) this.#known.set(source.state, root.digest);
    return root;
  }

  #place(digest: string): string {
    return join(this.#folder, digest.replace(":", "-"));
  }

  #root(digest: string): UnpackedRoot {
    return { digest, folder: join(this.#place(digest), "rootfs") };
  }

  async #make(source: Source): Promise<UnpackedRoot> {
    const stage = join(this.#folder, `${this.#owner}.${randomBytes(4).toString("hex")}`);
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      this.#refuseStrangers();
      if (source.isFolder) {
        const files = new ImageFiles(source.path);
        return await this.#unpack(files, await readImage(files, source.tag), stage);
      }
      mkdirSync(join(stage, "source"), { recursive: true, mode: 0o700 });
      const files = await takeOut(source.path, join(stage, "source"), this.#bounds.bytes);
      return await this.#unpack(files, await readImage(files, source.tag), stage);
    } catch (error) {
      throw SandboxError.from(error, `unpacking the image ${source.path}`);
    } finally {
      await rm(stage, { recursive: true, force: true });
    }
  }

  async #unpack(files: ImageFiles, image: Image, stage: string): Promise<UnpackedRoot> {
    const place = this.#place(image.digest);
    if (existsSync(place)) return this.#root(image.digest);
    const umoci = needExecutable("umoci");
    await this.#removeHalfBuilt();
    const layout = join(stage, "layout");
    const made = join(stage, "made");
    mkdirSync(layout, { recursive: true, mode: 0o700 });
    mkdirSync(made, { mode: 0o700 });
    await copyLayers(files, image, layout, this.#bounds);
    try {
      // Without root's powers also for root; and bounded once more, should umoci read an archive otherwise than we did.
      const args = [
        `--fsize=${this.#bounds.bytes}`,
        umoci,
        "raw",
        "unpack",
        "--rootless",
        "--image",
        `${layout}:${TAG}`,
      ];
      await run("setpriv", ["--pdeathsig", "KILL", "prlimit", ...args, join(made, "rootfs")], { timeout: UNPACK_MS });
    } catch (error) {
      const words = String((error as { stderr?: unknown }).stderr ?? "").trim();
      throw new SandboxError(
        "refused",
        `umoci cannot unpack the image: ${words.slice(-500) || (error as Error).message}`,
        {
          cause: error,
        },
      );
    }
    await tidy(join(made, "rootfs"));
    // Its own user in the box must be able to pass.
    chmodSync(join(made, "rootfs"), 0o755);
    // A crash of the machine must not leave a complete name over empty files.
    await run("sync", ["-f", made]);
    try {
      await rename(made, place);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      // Somebody was faster, with the same bytes.
      if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
    }
    return this.#root(image.digest);
  }

  async #removeHalfBuilt(): Promise<void> {
    for (const name of readdirSync(this.#folder)) {
      const owner = /^(.*)\.[0-9a-f]{8}$/.exec(name)?.[1];
      if (owner !== undefined && isDeadOwner(owner))
        await rm(join(this.#folder, name), { recursive: true, force: true });
    }
  }

  #refuseStrangers(): void {
    const { uid, mode } = statSync(this.#folder);
    if (uid !== (process.getuid?.() ?? 0) || (mode & 0o077) !== 0)
      throw new SandboxError(
        "refused",
        `${this.#folder} belongs to another user, or others may get into it; remove it, or set LANISTA_CACHE_DIR`,
      );
  }
}
