/**
 * Theory of operation.
 *
 * A SandboxHost starts untrusted programs in boxes and says how each of them ended. It needs root, or a user with ids of
 * its own to hand out; the programs get neither: no capability, no network, no file but /usr, their own /agent and /tmp,
 * and a user id that nobody else has.
 *
 *   this process ── spawns ──> launcher chain (launch.ts) ── becomes ──> OCI runtime ── makes ──> the box
 *        │                        one pid namespace and one mount namespace around all of it
 *        ├── control groups (cgroup.ts), made here, so that their counters outlive the runtime
 *        ├── a folder (the bundle: bundle.ts, root.ts), read by the runtime
 *        ├── a watch (box.ts): counters against limits; the first cause of an end wins
 *        └── an unpacked image, where one is asked for as the root (roots/root-cache.ts)
 *
 * The tier `docker` leaves the chain to a container engine, and has a theory of its own (docker/docker-tier.ts).
 *
 * What flows: the program's standard input, output and error, as pipes; files, by way of /agent, from us to the program.
 * Nothing else. What the host cannot enforce is refused before anything is started (enforceable.ts).
 *
 * How it fails: the program's misdeeds are causes of an end, never exceptions. A start that fails half-way releases what
 * it had made. If this process is killed, the kernel kills the boxes with it; their folders and groups go when the next
 * host opens (owners.ts).
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { isMainThread } from "node:worker_threads";
import { Box } from "./box.ts";
import { allowance, needProgram, translatedFilter } from "./box-needs.ts";
import { bundleConfig } from "./bundle.ts";
import { type BoxCgroup, OwnerCgroups } from "./cgroup.ts";
import { type CgroupLayout, cgroupLayout } from "./cgroup-layout.ts";
import { chooseRuntime } from "./choose-runtime.ts";
import { DockerTier } from "./docker/docker-tier.ts";
import { mostOpenFiles, refuseUnenforceable, unenforceable } from "./enforceable.ts";
import { SandboxError } from "./errors.ts";
import { placeMounts } from "./gpu/gpu-parts.ts";
import { Gpus, refuseGpus, type TakenGpus } from "./gpu/gpus.ts";
import { launchCommand, programArguments, spawnChain, takesChannel } from "./launch.ts";
import { LeftBoxes, type Release } from "./left-boxes.ts";
import { removeAllLeftovers } from "./leftovers.ts";
import { normaliseGiveUp, normaliseLimits } from "./limits.ts";
import { type BareParts, BareProcess } from "./none.ts";
import { makeOwner, type Owner, runFolder } from "./owners.ts";
import { refuseUnreadable } from "./readable.ts";
import { callersMounts, hostLayers, makeOwnPart, makeRoot } from "./root.ts";
import { RootCache } from "./roots/root-cache.ts";
import { kernelRelease, needExecutable, type OciRuntime, versionOf } from "./runtimes.ts";
import { type FilterOptions, hostSeccompArch, type SeccompProfile, seccompProfile } from "./seccomp.ts";
import type { GiveUp, Limits, Sandbox, SandboxSpec, SandboxStamp, StartPhase, Tier } from "./types.ts";
import { UserIds } from "./user-ids.ts";

const DEFAULT_ENV = { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: "/tmp", LANG: "C.UTF-8", TMPDIR: "/tmp" } as const;

const filterOptions = ({ loopback = false, locks = false, gpus = [] }: SandboxSpec): FilterOptions => ({
  loopback,
  locks,
  devices: gpus.length > 0,
});

const CLOSED = "this host is closed";

export interface SandboxHostOptions {
  /** Default: LANISTA_RUN_DIR, /run/lanista for root, a folder of the user's for others. */
  readonly runDir?: string;
  /** Where unpacked images are kept. Default: LANISTA_CACHE_DIR, /var/cache/lanista for root, a folder of the user's for others. */
  readonly cacheDir?: string;
  /** A phase of a box's start is over, so many milliseconds after it was asked for. Must not throw. */
  readonly onPhase?: (tier: Tier, phase: StartPhase, milliseconds: number) => void;
}

export class SandboxHost {
  readonly #layout: CgroupLayout;
  readonly #owner: Owner;
  readonly #cgroups: OwnerCgroups;
  readonly #rootless: boolean;
  readonly #docker: DockerTier;
  readonly #cacheDir: string | undefined;
  /** Made when the first image is asked for: before that its folder need not be there. */
  #roots: RootCache | undefined;
  readonly #onPhase: NonNullable<SandboxHostOptions["onPhase"]>;
  readonly #live = new Set<Sandbox>();
  readonly #left = new LeftBoxes();
  readonly #gpus = new Gpus();
  readonly #uids = new UserIds();
  readonly #versions = new Map<OciRuntime, Promise<string>>();
  #seccomp: SeccompProfile | undefined;
  /** The system-call filter as crun translated it for the first box: some 4 ms less for each one after. */
  #seccompBpf: string | undefined;
  #count = 0;
  #closed = false;

  private constructor(layout: CgroupLayout, owner: Owner, cgroups: OwnerCgroups, options: SandboxHostOptions) {
    this.#layout = layout;
    this.#owner = owner;
    this.#cgroups = cgroups;
    this.#cacheDir = options.cacheDir;
    this.#onPhase = options.onPhase ?? (() => {});
    this.#docker = new DockerTier(owner);
    this.#rootless = process.getuid?.() !== 0;
  }

  /** Removes what killed hosts left behind, and makes a place for this one. Throws SandboxError. */
  static async open(options: SandboxHostOptions = {}): Promise<SandboxHost> {
    const runDir = options.runDir ?? runFolder();
    try {
      const layout = cgroupLayout();
      await removeAllLeftovers(runDir, layout);
      const owner = makeOwner(runDir, layout);
      try {
        return new SandboxHost(layout, owner, new OwnerCgroups(layout, owner.name), options);
      } catch (error) {
        await rm(owner.folder, { recursive: true, force: true });
        throw error;
      }
    } catch (error) {
      throw SandboxError.from(error, `making a place for sandboxes in ${runDir}`);
    }
  }

  /**
   * Starts a program. Must be called on the main thread. Resolves as soon as the launcher runs: a program that cannot be
   * started shows in `ended`. Throws SandboxError: `refused` for what this host cannot enforce, `fault` for what broke.
   */
  async start(spec: SandboxSpec): Promise<Sandbox> {
    if (this.#closed) throw new SandboxError("refused", CLOSED);
    if (!isMainThread)
      throw new SandboxError(
        "refused",
        "a sandbox dies with the thread that started it: start it from the main thread",
      );
    if (spec.argv.length === 0) throw new SandboxError("refused", "a program needs at least its own name as argv");
    const limits = normaliseLimits(spec.limits);
    const giveUp = normaliseGiveUp(spec.giveUp);
    const id = `b${++this.#count}`;
    const askedMs = performance.now();
    const phase = (phase: StartPhase): void => this.#onPhase(spec.tier, phase, performance.now() - askedMs);
    const dir = join(this.#owner.folder, id);
    if (spec.tier !== "container") refuseGpus(spec);
    if (spec.tier === "none") {
      if (spec.runtime !== undefined && spec.runtime !== "none")
        throw new SandboxError("refused", `the tier none has no runtime ${spec.runtime}`);
      const stamp = this.#stamp(spec, "none", "none", limits, [
        ...unenforceable("none", this.#layout, this.#rootless).keys(),
      ]);
      if (spec.root !== undefined)
        throw new SandboxError("refused", "the tier none has no root of its own, so no image can be it");
      const onEnded = (left?: Release): void => this.#forget(id, left);
      const bare = this.#track(this.#bare({ id, dir, spec, env: DEFAULT_ENV, limits, stamp, onEnded }));
      phase("bundle");
      return bare;
    }
    if (spec.tier === "docker") {
      const box = await this.#startDocker(spec, limits, giveUp, id, dir);
      phase("launch");
      return box;
    }
    const runtime = chooseRuntime(spec);
    const executable = needExecutable(runtime);
    for (const tool of ["setpriv", "unshare"]) needExecutable(tool);
    const impossible = unenforceable(runtime, this.#layout, this.#rootless);
    refuseUnenforceable(impossible, giveUp);
    if (!impossible.has("uid")) refuseUnreadable(spec.argv, spec.mounts ?? []);
    if (limits.openFiles > mostOpenFiles())
      throw new SandboxError(
        "refused",
        `openFiles is ${limits.openFiles}, but this process itself may have ${mostOpenFiles()}; ask for fewer, or raise it (ulimit -Hn)`,
      );
    const version = await this.#version(runtime, executable);
    const gpus = await this.#gpus.take(spec, limits, giveUp);
    const root = spec.root === undefined ? undefined : await this.#rootCache().get(spec.root.image);
    if (this.#closed) throw new SandboxError("refused", CLOSED);
    const gaveUp = [...impossible.keys(), ...(gpus?.gaveUp ?? [])];
    const stamp = this.#stamp(spec, runtime, version, limits, gaveUp, root?.digest, gpus?.stamp);
    const image = root === undefined ? {} : { image: root.folder };
    const onUp = (): void => phase("launch");
    const box = this.#track(this.#launch({ spec, runtime, executable, stamp, id, dir, onUp, gpus, ...image }));
    phase("bundle");
    return box;
  }

  #bare(parts: BareParts): BareProcess {
    try {
      return new BareProcess(parts);
    } catch (error) {
      rmSync(parts.dir, { recursive: true, force: true });
      throw SandboxError.from(error, "starting a process");
    }
  }

  async #startDocker(
    spec: SandboxSpec,
    limits: Limits,
    giveUp: readonly GiveUp[],
    id: string,
    dir: string,
  ): Promise<Sandbox> {
    if (spec.runtime !== undefined && spec.runtime !== "docker")
      throw new SandboxError("refused", `the runtime ${spec.runtime} does not belong to the tier docker`);
    refuseUnreadable(spec.argv, spec.mounts ?? []);
    try {
      const box = await this.#docker.start({
        id,
        dir,
        spec,
        env: DEFAULT_ENV,
        limits,
        // The engine is root, whoever this process is.
        uid: this.#uids.draw(id, false),
        seccomp: seccompProfile(hostSeccompArch(), { ...filterOptions(spec), nameAll: true }),
        refuse: (reasons) => refuseUnenforceable(reasons, giveUp),
        stampOf: (version, gaveUp, digest) => this.#stamp(spec, "docker", version, limits, gaveUp, digest),
        onEnded: (left) => this.#forget(id, left),
      });
      this.#track(box);
      if (this.#closed) box.kill("the host was closed");
      return box;
    } catch (error) {
      this.#uids.release(id);
      throw error;
    }
  }

  #launch(parts: {
    spec: SandboxSpec;
    runtime: OciRuntime;
    executable: string;
    stamp: SandboxStamp;
    id: string;
    dir: string;
    onUp: () => void;
    gpus: TakenGpus | undefined;
    image?: string;
  }): Box {
    const { spec, runtime, stamp, id, dir, image, gpus } = parts;
    const { limits } = stamp;
    const layers = [...(image === undefined ? hostLayers() : []), ...callersMounts(spec.mounts ?? [])];
    const channel = spec.channel === true && takesChannel(runtime);
    const argv = programArguments(runtime, spec.argv, channel);
    for (const program of new Set([spec.argv[0]!, argv[0]!])) needProgram(program, layers, image);
    const container = `${this.#owner.name}-${id}`;
    let cgroup: BoxCgroup | undefined;
    try {
      const uid = stamp.gaveUp.includes("uid") ? 0 : this.#uids.draw(id, this.#rootless);
      const user = { uid, gid: uid };
      const hostname = spec.hostname ?? "box";
      for (const name of ["", "rootfs", "own", "agent", "empty", "state", "scratch", "shm"])
        mkdirSync(join(dir, name), { mode: 0o755 });
      const targets = layers.map((layer) => layer.target);
      if (image === undefined) makeRoot(join(dir, "rootfs"), user, targets, hostname);
      else makeOwnPart(join(dir, "own"), user, targets, hostname);
      const gpuMounts =
        gpus === undefined
          ? []
          : placeMounts(gpus.parts.mounts, join(dir, image === undefined ? "rootfs" : "own"), image !== undefined);
      cgroup = this.#cgroups.box(id, limits, allowance(runtime, limits));
      // runc's many threads would count against the box, so it stays outside, and its hook moves the program in.
      const byHook = runtime === "runc";
      const usual = !Object.values(filterOptions(spec)).includes(true);
      const config = bundleConfig({
        runtime,
        argv,
        env: { ...DEFAULT_ENV, ...gpus?.parts.env, ...spec.env },
        ...(gpus === undefined ? {} : { gpu: { devices: gpus.parts.devices, mounts: gpuMounts } }),
        cwd: spec.cwd ?? "/tmp",
        hostname,
        user,
        limits,
        overlays: layers,
        agentDir: join(dir, "agent"),
        emptyDir: join(dir, "empty"),
        ...(runtime === "runsc" ? { hostTmpfs: { scratch: join(dir, "scratch"), shm: join(dir, "shm") } } : {}),
        seccomp: usual ? this.#filter() : seccompProfile(hostSeccompArch(), filterOptions(spec)),
        ...(runtime === "crun" && usual && this.#seccompBpf !== undefined ? { seccompBpf: this.#seccompBpf } : {}),
        hookFiles: byHook ? cgroup.procsFiles : [],
        // Without groups to make, runc does without only where none was named.
        ...(byHook && this.#layout.parents.size > 0 ? { cgroupsPath: join(this.#owner.name, `runc-${id}`) } : {}),
      });
      writeFileSync(join(dir, "config.json"), JSON.stringify(config));
      const chain = launchCommand({
        runtime,
        executable: parts.executable,
        dir,
        container,
        rootless: this.#rootless,
        ownUid: !stamp.gaveUp.includes("uid"),
        cgroup: this.#layout.mode,
        entryFiles: byHook ? [] : cgroup.entryFiles,
        limits,
        channel,
        ...(image === undefined ? {} : { image }),
      });
      return new Box({
        id,
        child: spawnChain(chain, dir, channel),
        cgroup,
        runtimeGroups: byHook ? this.#layout.all.map((place) => join(place, this.#owner.name, `runc-${id}`)) : [],
        dir,
        agentDir: join(dir, "agent"),
        stamp,
        limits,
        scratch: runtime === "runsc" ? { path: join(dir, "scratch"), namespaces: 2 } : { path: "/tmp", namespaces: 3 },
        programSign: runtime === "runsc" ? { kind: "traced" } : { kind: "filtered", namespaces: 3 },
        ...(gpus?.meter === undefined ? {} : { vram: gpus.meter }),
        onUp: () => {
          parts.onUp();
          if (runtime === "crun" && usual) this.#seccompBpf ??= translatedFilter(join(dir, "state", container));
        },
        onEnded: (left) => this.#forget(id, left),
      });
    } catch (error) {
      // What cannot be removed now is tried again, and goes when this host closes; the first error is the one to tell.
      const release = async (): Promise<void> => {
        await cgroup?.remove();
        await rm(dir, { recursive: true, force: true });
      };
      release().catch(() => this.#left.add(id, release));
      this.#uids.release(id);
      throw SandboxError.from(error, "starting a sandbox");
    }
  }

  #filter(): SeccompProfile {
    this.#seccomp ??= seccompProfile(hostSeccompArch());
    return this.#seccomp;
  }

  #version(runtime: OciRuntime, executable: string): Promise<string> {
    let version = this.#versions.get(runtime);
    if (version === undefined) {
      version = versionOf(runtime, executable);
      this.#versions.set(runtime, version);
    }
    return version;
  }

  #stamp(
    spec: SandboxSpec,
    runtime: SandboxStamp["runtime"],
    runtimeVersion: string,
    limits: SandboxStamp["limits"],
    gaveUp: SandboxStamp["gaveUp"],
    digest?: string,
    gpus?: SandboxStamp["gpus"],
  ): SandboxStamp {
    return {
      tier: spec.tier,
      runtime,
      runtimeVersion,
      kernel: kernelRelease(),
      rootless: this.#rootless,
      cgroup: this.#layout.mode,
      limits,
      gaveUp,
      ...(digest === undefined ? {} : { root: { digest } }),
      ...(gpus === undefined ? {} : { gpus }),
    };
  }

  #rootCache(): RootCache {
    this.#roots ??= new RootCache(this.#owner.name, this.#cacheDir);
    return this.#roots;
  }

  #track<T extends Sandbox>(sandbox: T): T {
    this.#live.add(sandbox);
    return sandbox;
  }

  #forget(id: string, left?: Release): void {
    if (left !== undefined) this.#left.add(id, left);
    this.#uids.release(id);
    for (const sandbox of this.#live) if (sandbox.id === id) this.#live.delete(sandbox);
  }

  /** Boxes that are there now. */
  get live(): number {
    return this.#live.size;
  }

  /** Boxes that have ended, and of which something is still there: that is tried again every few seconds. */
  get leaked(): number {
    return this.#left.count;
  }

  /** Unlike any other's, and it tells whether this process lives (owners.ts). */
  get name(): string {
    return this.#owner.name;
  }

  /** For what the caller needs on disk while it uses this host: goes with `close`, or at the next start after a SIGKILL. */
  get workDir(): string {
    return join(this.#owner.folder, "work");
  }

  /** Kills every box, waits for their ends, and removes what is left of this host. */
  async close(): Promise<void> {
    this.#closed = true;
    const live = [...this.#live];
    for (const sandbox of live) sandbox.kill("the host was closed");
    await Promise.all(live.map((sandbox) => sandbox.ended));
    this.#left.close();
    await this.#docker.close();
    await this.#gpus.close();
    await this.#cgroups.remove();
    await rm(this.#owner.folder, { recursive: true, force: true });
  }
}
