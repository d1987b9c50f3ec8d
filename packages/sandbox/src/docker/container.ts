/** What an engine is told to make of a box: the same walls as bundle.ts builds, in the words of the engine's API. */
import type { ContainerCreateOptions, HostConfig, MountSettings } from "dockerode";
import { MASKED, READ_ONLY } from "../bundle.ts";
import type { SeccompProfile } from "../seccomp.ts";
import type { Limits } from "../types.ts";

/** Labels by which a container's owner is found. */
export const OWNER_LABEL = "lanista.owner";
export const BOOT_LABEL = "lanista.boot";

export interface ContainerInput {
  readonly image: string;
  /** Names of the variables that the image sets: each is taken away. */
  readonly imageVariables: readonly string[];
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly hostname: string;
  readonly user: { readonly uid: number; readonly gid: number };
  readonly limits: Limits;
  readonly mounts: readonly MountSettings[];
  readonly seccomp: SeccompProfile;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * Whole folders of the engine's own that a box has no use for: a masked folder is empty and read-only. Terminals and message
 * queues are counted for the whole host, and would be a channel between boxes.
 */
const MASKED_FOLDERS = ["/sys", "/dev/pts", "/dev/mqueue"];

const ulimit = (name: string, value: number): { Name: string; Soft: number; Hard: number } => ({
  Name: name,
  Soft: value,
  Hard: value,
});

/** The fields of the engine's API (1.41) that the types do not know. */
type HostConfigOfApi = HostConfig & {
  readonly CgroupnsMode: "private";
  readonly MaskedPaths: readonly string[];
  readonly ReadonlyPaths: readonly string[];
};

export function containerOptions(input: ContainerInput): ContainerCreateOptions {
  const { limits, argv } = input;
  const env = Object.entries(input.env).map(([name, value]) => `${name}=${value}`);
  // A name without a value takes the variable away.
  const away = ["HOSTNAME", ...input.imageVariables].filter((name) => !(name in input.env));
  // runc gives a tmpfs the mode of the folder it covers, whatever its options say: the image's /tmp may be anything.
  const own = `uid=${input.user.uid},gid=${input.user.gid},mode=1777`;
  const hostConfig: HostConfigOfApi = {
    NetworkMode: "none",
    IpcMode: "none",
    CgroupnsMode: "private",
    ReadonlyRootfs: true,
    CapDrop: ["ALL"],
    SecurityOpt: ["no-new-privileges", `seccomp=${JSON.stringify(input.seccomp)}`],
    MaskedPaths: [...MASKED, ...MASKED_FOLDERS],
    ReadonlyPaths: READ_ONLY,
    Memory: limits.memoryBytes,
    MemorySwap: limits.memoryBytes,
    PidsLimit: limits.pids,
    CpuPeriod: 100_000,
    CpuQuota: Math.max(1000, Math.round(limits.cpus * 100_000)),
    Ulimits: [ulimit("nofile", limits.openFiles), ulimit("core", 0), ulimit("msgqueue", 0), ulimit("memlock", 65536)],
    Tmpfs: {
      "/tmp": `rw,nosuid,nodev,exec,${own},size=${limits.scratchBytes},nr_inodes=${limits.scratchInodes}`,
      "/dev/shm": `rw,nosuid,nodev,noexec,${own},size=${limits.shmBytes},nr_inodes=1024`,
    },
    Mounts: [...input.mounts],
    LogConfig: { Type: "none", Config: {} },
    RestartPolicy: { Name: "no" },
  };
  return {
    Image: input.image,
    // Both are named, so that neither comes from the image.
    Entrypoint: [argv[0]!],
    Cmd: argv.slice(1),
    Env: [...env, ...away],
    WorkingDir: input.cwd,
    Hostname: input.hostname,
    User: `${input.user.uid}:${input.user.gid}`,
    Healthcheck: { Test: ["NONE"] },
    NetworkDisabled: true,
    Tty: false,
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    Labels: { ...input.labels },
    HostConfig: hostConfig as HostConfig,
  };
}
