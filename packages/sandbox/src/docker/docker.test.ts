/** The tier `docker` where it differs from the others: what an image says of itself, and what an engine may do to a box. */
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import tar from "tar-stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checks, Kit } from "../conformance.ts";
import { SandboxHost } from "../host.ts";
import { canStartEngine, startTestEngine, type TestEngine } from "../testing/engine.ts";
import { canMakeImage, intoEngine, makeTestImage } from "../testing/image.ts";
import type { GiveUp, SandboxSpec } from "../types.ts";
import { BOOT_LABEL, OWNER_LABEL } from "./container.ts";
import { bootId, engineCannot } from "./engine.ts";
import { removeDeadContainers } from "./leftovers.ts";

test("what an engine's kernel cannot bound is named", () => {
  const info = { OSType: "linux", ServerVersion: "1", CgroupVersion: "2", DefaultRuntime: "runc" } as const;
  const all = { MemoryLimit: true, SwapLimit: true, PidsLimit: true, CpuCfsQuota: true };
  expect([...engineCannot({ ...info, ...all }).keys()]).toEqual([]);
  expect([...engineCannot({ ...info, ...all, SwapLimit: false, PidsLimit: false }).keys()]).toEqual([
    "memoryBytes",
    "pids",
  ]);
});

describe.skipIf(!canStartEngine)("with an engine", () => {
  const runDir = mkdtempSync(join(tmpdir(), "lanista-docker-test-"));
  let engine: TestEngine;
  let host: SandboxHost;
  const before = process.env.DOCKER_HOST;
  beforeAll(async () => {
    engine = await startTestEngine();
    process.env.DOCKER_HOST = engine.address;
    host = await SandboxHost.open({ runDir });
  });
  afterAll(async () => {
    await host.close();
    await engine.stop();
    if (before === undefined) delete process.env.DOCKER_HOST;
    else process.env.DOCKER_HOST = before;
    rmSync(runDir, { recursive: true, force: true });
  });

  const spec: SandboxSpec = { tier: "docker", argv: ["/bin/sh", "-c", "cat"], limits: { wallSeconds: 20 } };
  const refused = (more: Partial<SandboxSpec>, message: RegExp) =>
    expect(host.start({ ...spec, ...more })).rejects.toMatchObject({
      code: "refused",
      message: expect.stringMatching(message),
    });

  async function say(argv: readonly string[], more: Partial<SandboxSpec> = {}): Promise<string> {
    const box = await host.start({ ...spec, ...more, argv });
    let text = "";
    for (const stream of [box.stdout, box.stderr]) stream.on("data", (piece: Buffer) => (text += piece.toString()));
    box.stdin.end();
    expect((await box.ended).cause, text).toEqual({ kind: "exit", code: 0 });
    return text;
  }

  /** An image with nothing in it that says these things of itself. */
  async function imageThatSays(...changes: string[]): Promise<string> {
    const pack = tar.pack();
    pack.entry({ name: "x", type: "directory" });
    pack.finalize();
    const repo = `says-${randomBytes(4).toString("hex")}`;
    const answer = (await engine.docker.importImage(Readable.from(pack), { repo, changes })) as NodeJS.ReadableStream;
    await new Promise((resolve) => answer.resume().once("end", resolve));
    return repo;
  }

  test("refuses an image that is not there, or that asks for a place to write", async () => {
    await refused({ root: { image: "no/such:image" } }, /has no image no\/such:image/);
    await refused({ root: { image: await imageThatSays("VOLUME /data") } }, /declares volumes \(\/data\)/);
  });

  test("refuses a program that is not there, too few processes, another tier's runtime", async () => {
    await refused({ argv: ["/no/such/program"] }, /no such file/);
    await refused({ limits: { pids: 8 } }, /room for 16 processes/);
    await refused({ runtime: "crun" }, /does not belong to the tier docker/);
    expect(await engine.docker.listContainers({ all: true })).toEqual([]);
  });

  test.skipIf(!canMakeImage)("takes nothing from an image but its files", async () => {
    const plain = await intoEngine(engine.docker, makeTestImage(join(import.meta.dirname, "../../../../.cache")));
    const child = await engine.docker.createContainer({ Image: plain, Cmd: ["x"] });
    await child.commit({
      repo: "spoilt",
      changes:
        'ENV LD_PRELOAD=/evil PATH=/evil\nENTRYPOINT ["/evil"]\nCMD ["evil"]\nUSER 0:0\nWORKDIR /evil\nHEALTHCHECK CMD /evil',
    });
    await child.remove();
    const script =
      "import os; print(sorted(os.environ), os.getcwd(), os.getuid() > 1000, os.getgroups() == [os.getgid()])";
    const text = await say(["/usr/bin/python3", "-I", "-c", script], { root: { image: "spoilt" } });
    expect(text).toBe("['HOME', 'LANG', 'PATH', 'TMPDIR'] /tmp True True\n");
    expect(await say(["/bin/sh", "-c", "echo $PATH"], { root: { image: "spoilt" } })).toBe(
      "/usr/local/bin:/usr/bin:/bin\n",
    );
  });

  test("removes what dead hosts left, and nothing else", async () => {
    const namespace = /\d+/.exec(readlinkSync("/proc/self/ns/pid"))![0];
    const dead = `lanista-999999999-1-${namespace}-00000000`;
    const make = (labels: Record<string, string>) =>
      engine.docker.createContainer({ Image: "lanista-root-test", Cmd: ["x"], Labels: labels });
    const pack = tar.pack();
    pack.finalize();
    const answer = (await engine.docker.importImage(Readable.from(pack), {
      repo: "lanista-root-test",
    })) as NodeJS.ReadableStream;
    await new Promise((resolve) => answer.resume().once("end", resolve));
    const left = await make({ [OWNER_LABEL]: dead, [BOOT_LABEL]: bootId() });
    const others = [
      await make({}),
      await make({ [OWNER_LABEL]: dead, [BOOT_LABEL]: "another boot" }),
      await make({ [OWNER_LABEL]: "x", [BOOT_LABEL]: bootId() }),
    ];
    expect(await removeDeadContainers(engine.docker)).toHaveLength(1);
    const ids = (await engine.docker.listContainers({ all: true })).map(({ Id }) => Id);
    expect(ids).not.toContain(left.id);
    for (const { id } of others) expect(ids).toContain(id);
    await Promise.all(others.map((one) => one.remove({ force: true })));
  });

  test("an engine that goes away is no end of the program's", async () => {
    const box = await host.start(spec);
    for (const stream of [box.stdout, box.stderr]) stream.resume();
    await engine.kill();
    const { cause } = await box.ended;
    expect(cause).toMatchObject({ kind: "runtimeFault", detail: expect.stringMatching(/engine/) });
    await expect(host.start(spec)).rejects.toMatchObject({ code: "fault" });
    engine = await startTestEngine();
    process.env.DOCKER_HOST = engine.address;
    expect(await say(["/bin/sh", "-c", "echo there"])).toBe("there\n");
  });
});

describe.skipIf(!canStartEngine || !canMakeImage)(
  "with an engine that sees neither our files nor our processes",
  () => {
    const runDir = mkdtempSync(join(tmpdir(), "lanista-docker-test-"));
    const giveUp: readonly GiveUp[] = ["pids", "scratchBytes", "scratchInodes", "cpuSeconds"];
    const before = process.env.DOCKER_HOST;
    const root = { image: "" };
    let engine: TestEngine;
    let host: SandboxHost;
    beforeAll(async () => {
      engine = await startTestEngine(true);
      process.env.DOCKER_HOST = engine.address;
      host = await SandboxHost.open({ runDir });
      root.image = await intoEngine(engine.docker, makeTestImage(join(import.meta.dirname, "../../../../.cache")));
    });
    afterAll(async () => {
      await host.close();
      const left = [await engine.docker.listContainers({ all: true }), (await engine.docker.listVolumes()).Volumes];
      await engine.stop();
      if (before === undefined) delete process.env.DOCKER_HOST;
      else process.env.DOCKER_HOST = before;
      rmSync(runDir, { recursive: true, force: true });
      expect(left).toEqual([[], []]);
    });

    test.each(checks.filter(({ needs }) => !needs.some((name) => giveUp.includes(name))))("$name", async (check) => {
      const kit = new Kit(host, { tier: "docker", runtime: "docker", root, giveUp });
      expect(await check.run(kit)).toBeUndefined();
    });

    test("shows the caller's folders as copies", async () => {
      const folder = join(runDir, "mine");
      mkdirSync(join(folder, "below"), { recursive: true });
      writeFileSync(join(folder, "below/file"), "text");
      symlinkSync("below/file", join(folder, "link"));
      const argv = ["/bin/sh", "-c", "cat /mine/below/file /mine/link; echo more >/mine/below/file"];
      const box = await host.start({
        tier: "docker",
        argv,
        root,
        giveUp,
        mounts: [{ source: folder, target: "/mine" }],
      });
      let text = "";
      for (const stream of [box.stdout, box.stderr]) stream.on("data", (piece: Buffer) => (text += piece.toString()));
      await box.ended;
      expect(text).toMatch(/^texttext.*Read-only/s);
    });

    test("refuses what needs eyes on it, and the host's own /usr", async () => {
      const start = (more: Partial<SandboxSpec>) => host.start({ tier: "docker", argv: ["/bin/true"], ...more });
      await expect(start({ root })).rejects.toMatchObject({
        code: "refused",
        message: expect.stringMatching(/pids: .*another/),
      });
      await expect(start({ giveUp })).rejects.toMatchObject({
        code: "refused",
        message: expect.stringMatching(/name an image/),
      });
    });
  },
);

test("without an engine the tier is refused, with what to install", async () => {
  const runDir = mkdtempSync(join(tmpdir(), "lanista-docker-test-"));
  const before = process.env.DOCKER_HOST;
  process.env.DOCKER_HOST = `unix://${runDir}/none.sock`;
  const host = await SandboxHost.open({ runDir });
  try {
    await expect(host.start({ tier: "docker", argv: ["/bin/true"] })).rejects.toMatchObject({
      code: "refused",
      message: expect.stringMatching(/none\.sock does not answer/),
    });
  } finally {
    await host.close();
    if (before === undefined) delete process.env.DOCKER_HOST;
    else process.env.DOCKER_HOST = before;
    rmSync(runDir, { recursive: true, force: true });
  }
});
