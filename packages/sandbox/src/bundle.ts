/** A box's OCI bundle: config.json as the runtime specification 1.0 has it. Pure data from complete inputs. */
import type { GpuDevice, GpuMount } from "./gpu/gpu-parts.ts";
import type { Limits, ReadOnlyMount, Runtime } from "./types.ts";

export interface BundleInput {
  readonly runtime: Runtime;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly hostname: string;
  readonly user: { readonly uid: number; readonly gid: number };
  readonly limits: Limits;
  readonly overlays: readonly ReadOnlyMount[];
  /** Host paths: the box's own agent folder, an empty folder, and for gVisor a tmpfs mounted by the launcher. */
  readonly agentDir: string;
  readonly emptyDir: string;
  readonly hostTmpfs?: { readonly scratch: string; readonly shm: string };
  readonly seccomp: object;
  /** The same filter as crun has translated it, base64, where it has: it then need not do so again. */
  readonly seccompBpf?: string;
  /** Files the createRuntime hook writes the program's process id to; empty where the launcher does it. */
  readonly hookFiles: readonly string[];
  readonly gpu?: { readonly devices: readonly GpuDevice[]; readonly mounts: readonly GpuMount[] };
  /** Relative to the launcher's own groups; for the runtime that insists on groups of its own. */
  readonly cgroupsPath?: string;
}

/** Shell, for the hook: reads the state on standard input and moves the container's process into the box's groups. */
const HOOK =
  `s=; while IFS= read -r l || [ -n "$l" ]; do s="$s$l"; done; s=\${s#*\\"pid\\":}; s=\${s# }; p=\${s%%[!0-9]*}; ` +
  '[ -n "$p" ] || exit 1; for f; do echo "$p" >"$f" || exit 1; done';

/**
 * What any box can move and read exactly, frozen or not: open files, threads and pages of the whole host. Two boxes could talk
 * through them; programs do without. Not one more than that: crun holds a descriptor for each, within the program's limit.
 */
const COUNTERS = ["/proc/loadavg", "/proc/sys/fs", "/proc/vmstat"];

export const MASKED = [
  ...COUNTERS,
  "/proc/acpi",
  "/proc/asound",
  "/proc/config.gz",
  "/proc/interrupts",
  "/proc/kallsyms",
  "/proc/kcore",
  "/proc/key-users",
  "/proc/keys",
  "/proc/kmsg",
  "/proc/latency_stats",
  // Shows the locks of the whole host: a channel between boxes.
  "/proc/locks",
  "/proc/modules",
  "/proc/sched_debug",
  "/proc/scsi",
  "/proc/slabinfo",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/vmallocinfo",
];
export const READ_ONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

function overlay(mount: ReadOnlyMount, input: BundleInput): object {
  // gVisor keeps locks and watches inside its own kernel, so the same inode is no channel there; it has no overlay mount.
  if (input.runtime === "runsc")
    return {
      destination: mount.target,
      type: "bind",
      source: mount.source,
      options: ["rbind", "ro", "nosuid", "nodev"],
    };
  return {
    destination: mount.target,
    type: "overlay",
    source: "overlay",
    options: ["ro", "nosuid", "nodev", `lowerdir=${mount.source}:${input.emptyDir}`],
  };
}

/** For a runtime that has device groups of its own (runc) also that they may be used, and nothing else. */
function devices(given: readonly GpuDevice[]): object {
  const rule = ({ type, major, minor, access }: GpuDevice): object => ({ allow: true, type, major, minor, access });
  return {
    devices: given.map(({ access: _, ...node }) => node),
    resources: { devices: [{ allow: false, access: "rwm" }, ...given.map(rule)] },
  };
}

function tmpfs(destination: string, hostPath: string | undefined, options: readonly string[]): object {
  return hostPath === undefined
    ? { destination, type: "tmpfs", source: "tmpfs", options }
    : { destination, type: "bind", source: hostPath, options: ["bind", "rw", "nosuid", "nodev"] };
}

export function bundleConfig(input: BundleInput): object {
  const { limits, runtime } = input;
  const none: string[] = [];
  const rlimit = (type: string, value: number): object => ({ type, hard: value, soft: value });
  return {
    ociVersion: "1.0.2",
    process: {
      terminal: false,
      user: { ...input.user, additionalGids: [] },
      args: input.argv,
      env: Object.entries(input.env).map(([name, value]) => `${name}=${value}`),
      cwd: input.cwd,
      noNewPrivileges: true,
      capabilities: { bounding: none, effective: none, inheritable: none, permitted: none, ambient: none },
      rlimits: [
        rlimit("RLIMIT_NOFILE", limits.openFiles),
        rlimit("RLIMIT_CORE", 0),
        rlimit("RLIMIT_MSGQUEUE", 0),
        rlimit("RLIMIT_MEMLOCK", 65536),
      ],
    },
    root: { path: "rootfs", readonly: true },
    hostname: input.hostname,
    mounts: [
      { destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"] },
      {
        destination: "/dev",
        type: "tmpfs",
        source: "tmpfs",
        options: ["nosuid", "noexec", "strictatime", "mode=755", "size=65536"],
      },
      tmpfs("/dev/shm", input.hostTmpfs?.shm, [
        "nosuid",
        "noexec",
        "nodev",
        "mode=1777",
        `size=${limits.shmBytes}`,
        "nr_inodes=1024",
      ]),
      tmpfs("/tmp", input.hostTmpfs?.scratch, [
        "nosuid",
        "nodev",
        "mode=1777",
        `size=${limits.scratchBytes}`,
        `nr_inodes=${limits.scratchInodes}`,
      ]),
      ...input.overlays.map((mount) => overlay(mount, input)),
      { destination: "/agent", type: "bind", source: input.agentDir, options: ["bind", "ro", "nosuid", "nodev"] },
      ...(input.gpu?.mounts ?? []).map(({ source, target }) => ({
        destination: target,
        type: "bind",
        source,
        options: ["rbind", "ro", "nosuid", "nodev"],
      })),
    ],
    ...(input.hookFiles.length === 0
      ? {}
      : {
          hooks: {
            createRuntime: [{ path: "/bin/sh", args: ["sh", "-c", HOOK, "lanista-enter", ...input.hookFiles] }],
          },
        }),
    linux: {
      ...(input.cgroupsPath === undefined ? {} : { cgroupsPath: input.cgroupsPath }),
      namespaces: ["pid", "mount", "network", "ipc", "uts", ...(runtime === "runsc" ? [] : ["cgroup"])].map((type) => ({
        type,
      })),
      ...(input.gpu === undefined ? {} : devices(input.gpu.devices)),
      maskedPaths: MASKED,
      readonlyPaths: READ_ONLY,
      ...(runtime === "runsc" || input.seccompBpf !== undefined ? {} : { seccomp: input.seccomp }),
    },
    ...(input.seccompBpf === undefined ? {} : { annotations: { "run.oci.seccomp_bpf_data": input.seccompBpf } }),
  };
}
