import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SandboxHost } from "../host.ts";
import { findPython, type Interpreter } from "../interpreters.ts";
import { findExecutable } from "../runtimes.ts";
import type { Sandbox, SandboxSpec } from "../types.ts";
import { editsOf } from "./cdi-registry.ts";
import { readCdiSpec } from "./cdi-spec.ts";
import { refuseSharedGpus } from "./distinct-gpus.ts";
import { gpuParts } from "./gpu-parts.ts";
import { VramMeter } from "./vram-meter.ts";

const MiB = 1024 * 1024;
const dir = mkdtempSync(join(tmpdir(), "lanista-gpu-"));
const cdi = join(dir, "cdi");
const fake = join(dir, "processes");
const library = join(dir, "libfake-nvml.so");
const canCompile = findExecutable("gcc") !== undefined;
const RUNTIMES = (["crun", "runc"] as const).filter((runtime) => findExecutable(runtime) !== undefined);

let host: SandboxHost;
let python: Interpreter;
beforeAll(async () => {
  if (canCompile)
    execFileSync("gcc", ["-shared", "-fPIC", "-o", library, join(import.meta.dirname, "../testing/nvml.c")]);
  mkdirSync(join(dir, "driver"));
  writeFileSync(join(dir, "driver/version"), "1.2.3\n");
  mkdirSync(cdi);
  // As nvidia-ctk writes it, over devices that every host has.
  writeFileSync(
    join(cdi, "nvidia.yaml"),
    `cdiVersion: 0.6.0
kind: nvidia.com/gpu
devices:
  - name: "0"
    containerEdits:
      deviceNodes: [{ path: /dev/nvidia0, hostPath: /dev/zero }]
  - name: "1"
    containerEdits:
      deviceNodes: [{ path: /dev/nvidia1, hostPath: /dev/full, permissions: rw }]
containerEdits:
  deviceNodes: [{ path: /dev/nvidiactl, hostPath: /dev/null }]
  env: [NVIDIA_VISIBLE_DEVICES=void]
  hooks:
    - { hookName: createContainer, path: /usr/bin/nvidia-ctk, args: [nvidia-ctk, hook, update-ldcache] }
  mounts:
    - { hostPath: ${dir}/driver/version, containerPath: /etc/driver/version, options: [ro, nosuid, nodev, bind] }
    - { hostPath: ${dir}/driver, containerPath: /opt/driver, options: [ro, rbind] }
    - { hostPath: /usr/bin/env, containerPath: /bin/env }
`,
  );
  writeFileSync(fake, "");
  Object.assign(process.env, { LANISTA_CDI_DIRS: cdi, LANISTA_NVML: library, FAKE_NVML: fake });
  host = await SandboxHost.open({ runDir: join(dir, "run") });
  python = await findPython();
});
afterAll(async () => {
  await host.close();
  for (const name of ["LANISTA_CDI_DIRS", "LANISTA_NVML", "FAKE_NVML"]) delete process.env[name];
  rmSync(dir, { recursive: true, force: true });
});

const start = (code: string, more: Partial<SandboxSpec>): Promise<Sandbox> =>
  host.start({ tier: "container", argv: [python.path, "-c", code], mounts: python.mounts, ...more });

async function end(box: Sandbox): Promise<{ text: string; cause: unknown; usage: { peakVramBytes?: number } }> {
  let text = "";
  for (const stream of [box.stdout, box.stderr])
    stream.on("data", (piece: Buffer) => {
      text += piece.toString();
    });
  const { cause, usage } = await box.ended;
  return { text: text.trim(), cause, usage };
}

/** On the host, of the processes that have this word in their command line. */
const pidsOf = (word: string): number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
        return words[0]?.includes("python") && words.includes(word);
      } catch {
        return false;
      }
    })
    .map(Number);

describe.skipIf(process.getuid?.() !== 0 || RUNTIMES.length === 0)("boxes with devices", () => {
  it.each(RUNTIMES)("see these, their driver's files and variables, and no other device (%s)", async (runtime) => {
    const code = `import os
print(open("/dev/nvidia0", "rb").read(3), os.environ.get("NVIDIA_VISIBLE_DEVICES"), open("/etc/driver/version").read().strip(), os.listdir("/opt/driver"))
open("/dev/nvidiactl", "wb").write(b"x")
try: open("/opt/driver/written", "w")
except OSError as error: print(error.strerror)
print(sorted(name for name in os.listdir("/dev") if name.startswith("nvidia")))`;
    const box = await start(code, { runtime, gpus: ["nvidia.com/gpu=0"] });
    expect(box.stamp.gpus).toEqual({
      devices: ["nvidia.com/gpu=0"],
      hooksLeftOut: ["createContainer /usr/bin/nvidia-ctk"],
    });
    const { text } = await end(box);
    expect(text).toBe(
      `${String.raw`b'\x00\x00\x00' void 1.2.3 ['version']`}\nRead-only file system\n['nvidia0', 'nvidiactl']`,
    );
  });

  it("may have several; and one without any sees none", async () => {
    const code = "import os; print(sorted(name for name in os.listdir('/dev') if name.startswith('nvidia')))";
    const both = await end(await start(code, { gpus: ["nvidia.com/gpu=1", "nvidia.com/gpu=0"] }));
    expect(both.text).toBe("['nvidia0', 'nvidia1', 'nvidiactl']");
    const none = await start(code, {});
    expect(none.stamp.gpus).toBeUndefined();
    expect((await end(none)).text).toBe("[]");
  });

  it.skipIf(!canCompile)(
    "end when their processes together hold more GPU memory than they may, children too",
    async () => {
      const word = `vram-${process.pid}`;
      const code = "import os, sys, time\nprint('up', flush=True)\nos.fork()\ntime.sleep(60)";
      const boxOf = (limit: number): Promise<Sandbox> =>
        host.start({
          tier: "container",
          argv: [python.path, "-c", code, word],
          mounts: python.mounts,
          gpus: ["nvidia.com/gpu=0"],
          limits: { vramBytes: limit },
        });
      const box = await boxOf(100 * MiB);
      await expect.poll(() => pidsOf(word)).toHaveLength(2);
      const [parent, child] = pidsOf(word);
      // One of them in both lists, another process of the host's besides: neither counts twice or against the box.
      writeFileSync(fake, `0 ${parent} ${40 * MiB} B\n1 ${child} ${40 * MiB} C\n0 ${process.pid} ${900 * MiB} C\n`);
      await new Promise((resolve) => setTimeout(resolve, 600));
      expect(box.over).toBe(false);
      writeFileSync(fake, `0 ${parent} ${40 * MiB} B\n1 ${child} ${61 * MiB} G\n`);
      const { cause, usage } = await end(box);
      expect(cause).toEqual({ kind: "vram" });
      expect(usage.peakVramBytes).toBe(101 * MiB);
      writeFileSync(fake, "");
    },
  );

  it.skipIf(!canCompile)(
    "end by our fault where the memory cannot be measured any more, and are refused where it never could",
    async () => {
      const box = await start("import time; time.sleep(60)", {
        gpus: ["nvidia.com/gpu=0"],
        limits: { vramBytes: MiB },
      });
      writeFileSync(fake, "fail\n");
      expect((await end(box)).cause).toMatchObject({ kind: "runtimeFault", detail: expect.stringMatching(/999/) });
      const asked = { gpus: ["nvidia.com/gpu=0"], limits: { vramBytes: MiB } };
      await expect(start("", asked)).rejects.toMatchObject({
        code: "refused",
        message: expect.stringMatching(/vramBytes/),
      });
      const given = await start("", { ...asked, giveUp: ["vramBytes"] });
      expect(given.stamp.gaveUp).toEqual(["vramBytes"]);
      await end(given);
      // Without a limit there is nothing to enforce.
      expect((await end(await start("", { gpus: ["nvidia.com/gpu=0"] }))).cause).toEqual({ kind: "exit", code: 0 });
      writeFileSync(fake, "");
    },
  );

  it("are refused for devices that are not there, and in tiers that cannot give any", async () => {
    await expect(start("", { gpus: ["nvidia.com/gpu=7"] })).rejects.toThrow(/it has .*nvidia.com\/gpu=0/);
    await expect(start("", { gpus: ["gpu0"] })).rejects.toThrow(/name/);
    for (const tier of ["gvisor", "docker", "none"] as const)
      await expect(host.start({ tier, argv: ["/bin/true"], gpus: ["nvidia.com/gpu=0"] })).rejects.toThrow(
        /container can/,
      );
    await expect(start("", { limits: { vramBytes: -1 } })).rejects.toThrow(/vramBytes/);
  });

  it("a limit of GPU memory changes nothing for one without a GPU", async () => {
    const box = await start("print('ran')", { limits: { vramBytes: 0 } });
    expect(await end(box)).toMatchObject({ text: "ran", cause: { kind: "exit", code: 0 } });
  });
});

describe("files of the Container Device Interface", () => {
  const sound = { cdiVersion: "0.6.0", kind: "a.b/c", devices: [{ name: "0", containerEdits: {} }] };

  it("are read strictly", () => {
    expect(readCdiSpec(JSON.stringify(sound)).kind).toBe("a.b/c");
    for (const wrong of [
      { ...sound, kind: "no kind" },
      { ...sound, more: 1 },
      { ...sound, devices: [{ name: "../0", containerEdits: {} }] },
      { ...sound, containerEdits: { deviceNodes: [{ path: "dev/x" }] } },
      { ...sound, containerEdits: { env: ["no variable"] } },
      { ...sound, containerEdits: { unknown: [] } },
    ])
      expect(() => readCdiSpec(JSON.stringify(wrong))).toThrow();
  });

  it("of a later folder go before those of an earlier one; two of one folder may not name the same device", () => {
    const [first, second] = [join(dir, "first"), join(dir, "second")];
    const write = (folder: string, name: string, variable: string): void => {
      mkdirSync(folder, { recursive: true });
      const devices = [{ name: "0", containerEdits: { env: [variable] } }];
      writeFileSync(join(folder, name), JSON.stringify({ ...sound, devices }));
    };
    write(first, "a.json", "FROM=first");
    write(second, "a.json", "FROM=second");
    expect(gpuParts(editsOf(["a.b/c=0"], [first, second])).env).toEqual({ FROM: "second" });
    write(second, "b.json", "FROM=another");
    expect(() => editsOf(["a.b/c=0"], [first, second])).toThrow(/a\.json and .*b\.json/);
    writeFileSync(join(first, "broken.yaml"), "kind: [");
    expect(() => editsOf(["a.b/c=0"], [first])).toThrow(/broken\.yaml/);
  });

  it("name one GPU in several ways, and a part of one beside the whole: such are not two", () => {
    const folder = join(dir, "shared");
    mkdirSync(folder);
    const node = (hostPath: string, path = `/dev/${hostPath.slice(5)}-here`) => ({ path, hostPath });
    const device = (name: string, ...hostPaths: string[]) => ({
      name,
      containerEdits: { deviceNodes: hostPaths.map((path) => node(path)) },
    });
    const devices = [
      device("0", "/dev/zero"),
      { name: "GPU-aa", containerEdits: { deviceNodes: [node("/dev/zero", "/dev/another-name")] } },
      device("1", "/dev/full"),
      device("2:0", "/dev/random", "/dev/urandom"),
      device("2:1", "/dev/random", "/dev/null"),
      device("2", "/dev/random"),
      device("nothing"),
    ];
    const containerEdits = { deviceNodes: [{ path: "/dev/everybodys", hostPath: "/dev/null" }] };
    writeFileSync(join(folder, "a.json"), JSON.stringify({ ...sound, devices, containerEdits }));
    const refuse = (...names: string[]) =>
      refuseSharedGpus(
        names.map((name) => `a.b/c=${name}`),
        [folder],
      );
    refuse("0", "1", "2:0", "2:1", "nothing");
    for (const same of [
      ["0", "GPU-aa"],
      ["2:1", "2"],
      ["1", "2", "2:0"],
    ])
      expect(() => refuse(...same)).toThrow(/the same GPU/);
    expect(() => refuse("0", "3")).toThrow(/no device a\.b\/c=3/);
  });

  it("give no device outside of /dev, and cover nothing of the box's own", () => {
    expect(() => gpuParts([{ deviceNodes: [{ path: "/etc/x", hostPath: "/dev/null" }] }])).toThrow(/into \/dev/);
    expect(() => gpuParts([{ deviceNodes: [{ path: "/dev/x", hostPath: "/etc/passwd" }] }])).toThrow(/no device/);
    for (const containerPath of ["/proc/x", "/tmp", "/agent/x", "/usr", "/opt/../tmp/x"])
      expect(() => gpuParts([{ mounts: [{ hostPath: "/usr", containerPath }] }])).toThrow(/shown/);
    expect(
      gpuParts([{ deviceNodes: [{ path: "/dev/x", hostPath: "/dev/null", permissions: "rwm" }] }]).devices,
    ).toEqual([{ path: "/dev/x", type: "c", major: 1, minor: 3, fileMode: 0o666, uid: 0, gid: 0, access: "rw" }]);
  });
});

it("a library that is none is refused with its name", async () => {
  await expect(VramMeter.open("/nonexistent/libnvidia-ml.so")).rejects.toMatchObject({
    code: "refused",
    message: expect.stringMatching(/nonexistent/),
  });
});
