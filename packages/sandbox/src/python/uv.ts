/**
 * Where uv comes from: a program that is named by its path, or a pinned version's wheel, fetched from the configured index, or
 * found in a folder of packages, and kept in the cache when its digest is the one below. It runs inside boxes only.
 */
import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { createWriteStream, existsSync, mkdirSync, statSync } from "node:fs";
import { chmod, copyFile, readFile, rename, rm } from "node:fs/promises";
import { arch } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { fromBuffer, type ZipFile } from "yauzl";
import { SandboxError } from "../errors.ts";
import type { IndexClient } from "./index-client.ts";
import type { IndexSettings } from "./index-settings.ts";
import { PackagesError } from "./packages-error.ts";
import { projectPage } from "./project-page.ts";

const run = promisify(execFile);

export const UV_VERSION = "0.13.9";

/** Programs without libraries, so that they run over any root. Digests of the wheels, as PyPI has them. */
const WHEELS: Readonly<Record<string, { readonly file: string; readonly sha256: string }>> = {
  x64: {
    file: `uv-${UV_VERSION}-py3-none-musllinux_1_1_x86_64.whl`,
    sha256: "2c45530751517d6c3bbc69a19473f6effe47cce047bede01ffd8af7ea7b36b25",
  },
  arm64: {
    file: `uv-${UV_VERSION}-py3-none-manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64.whl`,
    sha256: "5435c5ce14a56431208ca0996416d310f1598e8c2c8ba707688985a16bb82dbe",
  },
};
const MOST_BYTES = 64 * 1024 * 1024;
const MOST_UNPACKED = 256 * 1024 * 1024;

export interface Uv {
  /** A folder to mount, with the program `uv` in it and nothing else. */
  readonly folder: string;
  readonly version: string;
}

/**
 * A copy in a folder of its own, for boxes are shown folders: beside the program may lie what is nobody's business. Throws
 * SandboxError `refused` if it cannot be run.
 */
export async function namedUv(path: string, cache: string, owner: string): Promise<Uv> {
  try {
    const { stdout } = await run(path, ["--version"], { timeout: 20_000, env: {} });
    const version = /^uv (\S+)/.exec(stdout)?.[1];
    if (version === undefined) throw new Error(`it calls itself ${stdout.slice(0, 80).trim()}`);
    const { ino, size, mtimeNs } = statSync(path, { bigint: true });
    const place = join(cache, `named-${ino}-${size}-${mtimeNs}`);
    if (!existsSync(place)) {
      const stage = join(cache, `${owner}.${randomBytes(4).toString("hex")}`);
      mkdirSync(stage, { mode: 0o755 });
      await copyFile(path, join(stage, "uv"));
      await chmod(join(stage, "uv"), 0o755);
      await keep(stage, place);
    }
    return { folder: place, version };
  } catch (error) {
    throw new SandboxError("refused", `${path} is no usable uv: ${(error as Error).message.split("\n")[0]}`, {
      cause: error,
    });
  }
}

/** Throws SandboxError `refused` where none is made for this machine. */
export function pinnedWheel(): { readonly file: string; readonly sha256: string } {
  const wheel = WHEELS[arch()];
  if (wheel === undefined)
    throw new SandboxError("refused", `no uv is pinned for ${arch()}; install one, and name it by its path`);
  return wheel;
}

/** The folder that it is in, once it was fetched. */
export function pinnedPlace(cache: string): string {
  return join(cache, `${UV_VERSION}-${pinnedWheel().sha256.slice(0, 12)}`);
}

/** Throws SandboxError `refused` where none is made for this machine, PackagesError `infra` where it cannot be had. */
export async function pinnedUv(
  cache: string,
  owner: string,
  settings: IndexSettings,
  client: IndexClient,
): Promise<Uv> {
  const wheel = pinnedWheel();
  const place = pinnedPlace(cache);
  const uv: Uv = { folder: place, version: UV_VERSION };
  if (existsSync(join(place, "uv"))) return uv;
  const stage = join(cache, `${owner}.${randomBytes(4).toString("hex")}`);
  mkdirSync(stage, { recursive: true, mode: 0o700 });
  try {
    const file = join(stage, "wheel");
    await fetchWheel(wheel, file, settings, client);
    const bytes = await readFile(file);
    const is = createHash("sha256").update(bytes).digest("hex");
    if (is !== wheel.sha256)
      throw new PackagesError("infra", `${wheel.file} is not what it should be: its SHA-256 is ${is}`);
    const made = join(stage, "made");
    mkdirSync(made, { mode: 0o755 });
    await takeProgram(bytes, join(made, "uv"));
    await run("sync", ["-f", made]);
    await keep(made, place);
    return uv;
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

/** Somebody may be faster, with the same bytes. */
async function keep(stage: string, place: string): Promise<void> {
  try {
    await rename(stage, place);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
    await rm(stage, { recursive: true, force: true });
  }
}

async function fetchWheel(
  wheel: { readonly file: string },
  to: string,
  settings: IndexSettings,
  client: IndexClient,
): Promise<void> {
  const folder = settings.folders.find((one) => statSync(join(one, wheel.file), { throwIfNoEntry: false })?.isFile());
  if (folder !== undefined) return copyFile(join(folder, wheel.file), to);
  for (const index of settings.indexes) {
    const found = (await projectPage(client, index, "uv")).files.find(({ filename }) => filename === wheel.file);
    if (found === undefined) continue;
    const answer = await client.get(found.url);
    if (answer.statusCode !== 200)
      throw new PackagesError("infra", `${found.url.host} answers ${answer.statusCode} for ${wheel.file}`);
    let bytes = 0;
    answer.on("data", (piece: Buffer) => {
      bytes += piece.length;
      if (bytes > MOST_BYTES) answer.destroy(new Error(`${wheel.file} is too long`));
    });
    try {
      await pipeline(answer, createWriteStream(to, { flags: "wx", mode: 0o600 }));
    } catch (error) {
      throw new PackagesError("infra", `fetching ${wheel.file}: ${(error as Error).message}`, { cause: error });
    }
    return;
  }
  throw new PackagesError(
    "infra",
    `uv ${UV_VERSION} is not to be had: no configured index or folder has ${wheel.file}; install uv, and name it by its path`,
  );
}

/** The one program of the wheel that is wanted; its digest is known, so it is no hostile archive. */
async function takeProgram(wheel: Buffer, to: string): Promise<void> {
  const zip = await new Promise<ZipFile>((resolve, reject) =>
    fromBuffer(wheel, { lazyEntries: true }, (error, opened) => (error === null ? resolve(opened) : reject(error))),
  );
  const wanted = `uv-${UV_VERSION}.data/scripts/uv`;
  await new Promise<void>((resolve, reject) => {
    zip.on("error", reject);
    zip.on("end", () => reject(new Error(`the wheel holds no ${wanted}`)));
    zip.on("entry", (entry) => {
      if (entry.fileName !== wanted) return zip.readEntry();
      if (entry.uncompressedSize > MOST_UNPACKED) return reject(new Error(`${wanted} is too long`));
      zip.openReadStream(entry, (error, stream) => {
        if (error !== null) return reject(error);
        pipeline(stream, createWriteStream(to, { mode: 0o755 })).then(resolve, reject);
      });
    });
    zip.readEntry();
  });
}
