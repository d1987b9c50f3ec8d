/** A container engine as a host finds it: where it is, what it can, whether it shares this host's files and processes. */
import { createHash, randomBytes } from "node:crypto";
import { existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import Docker from "dockerode";
import tar from "tar-stream";
import { z } from "zod";
import { SandboxError } from "../errors.ts";
import type { GiveUp } from "../types.ts";
import { overlayVolume } from "./overlay-volume.ts";

const DEFAULT_SOCKET = "/var/run/docker.sock";

const Info = z.object({
  OSType: z.string(),
  ServerVersion: z.string(),
  CgroupVersion: z.enum(["1", "2"]).default("1"),
  DefaultRuntime: z.string().default("runc"),
  MemoryLimit: z.boolean().default(false),
  SwapLimit: z.boolean().default(false),
  PidsLimit: z.boolean().default(false),
  CpuCfsQuota: z.boolean().default(false),
  SecurityOptions: z.array(z.string()).nullish(),
});
export type EngineInfo = z.infer<typeof Info>;

export interface Engine {
  readonly docker: Docker;
  /** Such as "docker 20.10.24 (runc)". */
  readonly version: string;
  readonly cgroup: "v1" | "v2";
  /** What it cannot hold a box to, and why. */
  readonly unenforceable: ReadonlyMap<GiveUp, string>;
}

/** Whether there is an engine to ask: one that DOCKER_HOST names, or a socket at the usual place. */
export function engineAddress(): string | undefined {
  const named = process.env.DOCKER_HOST;
  if (named !== undefined && named !== "") return named;
  return existsSync(DEFAULT_SOCKET) ? `unix://${DEFAULT_SOCKET}` : undefined;
}

/** Throws SandboxError `refused` where no engine answers, or it is none for boxes. */
export async function connectEngine(): Promise<Engine> {
  const address = engineAddress();
  if (address === undefined)
    throw new SandboxError(
      "refused",
      `there is no container engine at ${DEFAULT_SOCKET}; on Debian: apt-get install docker.io; or set DOCKER_HOST`,
    );
  const docker = new Docker();
  let info: EngineInfo;
  try {
    info = Info.parse(await docker.info());
  } catch (error) {
    throw new SandboxError(
      "refused",
      `the container engine at ${address} does not answer: ${(error as Error).message}`,
      {
        cause: error,
      },
    );
  }
  if (info.OSType !== "linux")
    throw new SandboxError("refused", `the container engine at ${address} runs ${info.OSType} containers, not Linux'`);
  if (!info.SecurityOptions?.some((option) => option.startsWith("name=seccomp")))
    throw new SandboxError("refused", `the container engine at ${address} has no system-call filter (seccomp)`);
  return {
    docker,
    version: `docker ${info.ServerVersion} (${info.DefaultRuntime})`,
    cgroup: info.CgroupVersion === "2" ? "v2" : "v1",
    unenforceable: engineCannot(info),
  };
}

export function engineCannot(info: EngineInfo): ReadonlyMap<GiveUp, string> {
  const reasons = new Map<GiveUp, string>();
  const say = (name: GiveUp, has: boolean, what: string): void => {
    if (!has) reasons.set(name, `the container engine says that its kernel cannot bound ${what}`);
  };
  say("memoryBytes", info.MemoryLimit && info.SwapLimit, "memory and swap");
  say("pids", info.PidsLimit, "processes");
  say("cpus", info.CpuCfsQuota, "the share of a CPU");
  return reasons;
}

const MERGED = ["bin", "sbin", "lib", "lib64", "lib32", "libx32"];

/**
 * The id of an image that is only the folders and links of this host's root, for its /usr to be laid into. Made once an
 * engine, from nothing but what it holds, so that every host with the same links means the same image.
 */
export async function hostRootImage(docker: Docker): Promise<string> {
  const links = MERGED.filter((name) => existsSync(`/${name}`) && lstatSync(`/${name}`).isSymbolicLink()).map(
    (name) => [name, readlinkSync(`/${name}`)] as const,
  );
  const folders = ["usr", "proc", "dev", "sys", "tmp", "agent", "etc"];
  const tag = createHash("sha256")
    .update(JSON.stringify([links, folders]))
    .digest("hex")
    .slice(0, 16);
  const reference = `lanista-root:${tag}`;
  const present = await imageFacts(docker, reference);
  if (present !== undefined) return present.id;
  const pack = tar.pack();
  const mtime = new Date(0);
  for (const name of folders) pack.entry({ name, type: "directory", mode: name === "tmp" ? 0o1777 : 0o755, mtime });
  for (const [name, linkname] of links) pack.entry({ name, type: "symlink", linkname, mtime });
  pack.finalize();
  const answer = await docker.importImage(Readable.from(pack), { repo: "lanista-root", tag });
  await new Promise<void>((resolve, reject) => {
    answer.on("error", reject);
    answer.on("end", resolve);
    answer.resume();
  });
  const made = await imageFacts(docker, reference);
  if (made === undefined) throw new SandboxError("fault", `the container engine did not take the image ${reference}`);
  return made.id;
}

export interface ImageFacts {
  readonly id: string;
  readonly variables: readonly string[];
  readonly volumes: readonly string[];
}

const Image = z.object({
  Id: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  Config: z
    .object({ Env: z.array(z.string()).nullish(), Volumes: z.record(z.string(), z.unknown()).nullish() })
    .nullish(),
});

/** Undefined if the engine has no such image. */
export async function imageFacts(docker: Docker, reference: string): Promise<ImageFacts | undefined> {
  try {
    const { Id, Config } = Image.parse(await docker.getImage(reference).inspect());
    const variables = (Config?.Env ?? []).map((one) => one.split("=", 1)[0]!).filter((name) => name !== "");
    return { id: Id, variables, volumes: Object.keys(Config?.Volumes ?? {}) };
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

/** The HTTP status that the engine refused with; undefined for other errors. */
export function statusOf(error: unknown): number | undefined {
  const status = (error as { statusCode?: unknown }).statusCode;
  return typeof status === "number" ? status : undefined;
}

/**
 * Whether the engine itself finds this host's files under their own paths: it may be on another machine, or in another root.
 * Asked by an overlay, which its kernel mounts, for a bound folder may be passed on to where the engine is.
 */
export async function sharesFiles(
  docker: Docker,
  image: string,
  dir: string,
  labels: Record<string, string>,
): Promise<boolean> {
  const token = randomBytes(16).toString("hex");
  const place = join(dir, `probe-${token}`);
  const [shown, empty] = [join(place, "shown"), join(place, "empty")];
  for (const folder of [place, shown, empty]) mkdirSync(folder);
  writeFileSync(join(shown, "token"), token);
  let container: Docker.Container | undefined;
  try {
    container = await docker.createContainer({
      Image: image,
      Cmd: ["/never-started"],
      Labels: labels,
      HostConfig: {
        NetworkMode: "none",
        Mounts: [overlayVolume({ source: shown, target: "/agent" }, empty)],
      },
    });
    const archive = await container.getArchive({ path: "/agent/token" });
    const extract = tar.extract();
    archive.pipe(extract);
    for await (const entry of extract) {
      const pieces: Buffer[] = [];
      for await (const piece of entry) pieces.push(piece as Buffer);
      return Buffer.concat(pieces).toString() === token;
    }
    return false;
  } catch (error) {
    // It cannot mount such a folder, or the file is not in it.
    if (statusOf(error) !== undefined) return false;
    throw error;
  } finally {
    await container?.remove({ force: true, v: true });
    rmSync(place, { recursive: true });
  }
}

/** Names this boot of this host's kernel: process ids of another mean nothing here. */
export function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}
