/** A host that seems to have two GPUs: a made-up CDI file over devices that every host has, a stand-in for NVML, and one for nvidia-smi. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findExecutable } from "@lanista/sandbox/runtimes";

const NVML = join(import.meta.dirname, "../../../packages/sandbox/src/testing/nvml.c");
export const canPretend = findExecutable("gcc") !== undefined && process.getuid?.() === 0;
export const GPUS = ["nvidia.com/gpu=0", "nvidia.com/gpu=1"] as const;

const CDI = `cdiVersion: 0.6.0
kind: nvidia.com/gpu
devices:
  - name: "0"
    containerEdits: { deviceNodes: [{ path: /dev/nvidia0, hostPath: /dev/zero }] }
  - name: "1"
    containerEdits: { deviceNodes: [{ path: /dev/nvidia1, hostPath: /dev/full }] }
  - name: all
    containerEdits:
      deviceNodes: [{ path: /dev/nvidia0, hostPath: /dev/zero }, { path: /dev/nvidia1, hostPath: /dev/full }]
containerEdits:
  deviceNodes: [{ path: /dev/nvidiactl, hostPath: /dev/null }]
`;
const SMI = `#!/bin/sh
echo "0, GPU-aa, 24576, 20000"
echo "1, GPU-bb, 24576, 24000"
`;

export class GpuHost {
  readonly #dir = mkdtempSync(join(tmpdir(), "lanista-gpus-"));
  readonly #before: Readonly<Record<string, string | undefined>>;

  /** Of this process, until it is closed. */
  constructor() {
    const at = (name: string): string => join(this.#dir, name);
    mkdirSync(at("cdi"));
    writeFileSync(at("cdi/nvidia.yaml"), CDI);
    execFileSync("gcc", ["-shared", "-fPIC", "-o", at("nvml.so"), NVML]);
    mkdirSync(at("bin"));
    writeFileSync(at("bin/nvidia-smi"), SMI);
    chmodSync(at("bin/nvidia-smi"), 0o755);
    writeFileSync(at("processes"), "");
    const own = {
      LANISTA_CDI_DIRS: at("cdi"),
      LANISTA_NVML: at("nvml.so"),
      FAKE_NVML: at("processes"),
      PATH: `${at("bin")}:${process.env.PATH}`,
    };
    this.#before = Object.fromEntries(Object.keys(own).map((name) => [name, process.env[name]]));
    Object.assign(process.env, own);
  }

  /** As long as `during` is not over, every process with this word in its command line holds so many bytes of the first GPU. */
  async holding<T>(word: string, bytes: number, during: Promise<T>): Promise<T> {
    const timer = setInterval(() => {
      const lines = pidsWith(word).map((pid) => `0 ${pid} ${bytes} C\n`);
      writeFileSync(join(this.#dir, "processes"), lines.join(""));
    }, 50);
    try {
      return await during;
    } finally {
      clearInterval(timer);
      writeFileSync(join(this.#dir, "processes"), "");
    }
  }

  close(): void {
    for (const [name, value] of Object.entries(this.#before))
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

const pidsWith = (word: string): string[] =>
  readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const [program = "", ...rest] = readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0");
      return program.includes("python") && rest.some((each) => each.includes(word));
    } catch {
      return false;
    }
  });
