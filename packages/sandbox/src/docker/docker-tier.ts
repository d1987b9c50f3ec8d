/**
 * The tier `docker`: boxes made by a container engine, for hosts that have only that.
 *
 *   this process ── API ──> engine ── makes ──> the box, with the walls of container.ts
 *        │                    │
 *        ├── attached to the program's streams (streams.ts)
 *        ├── a watch: the box's counters against its limits (docker-box.ts, meter.ts)
 *        └── a pipe ──> guard.ts, a process that removes our containers if this one is killed
 *
 * The engine holds root over this host, and is trusted. Nothing is pulled: an image must be there. All is made on first use,
 * so a host that starts no such box asks no engine.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type Docker from "dockerode";
import { z } from "zod";
import { SandboxError } from "../errors.ts";
import type { Release } from "../left-boxes.ts";
import type { Owner } from "../owners.ts";
import { callersMounts, hostLayers, makeRoot } from "../root.ts";
import type { SeccompProfile } from "../seccomp.ts";
import type { GiveUp, Limits, ReadOnlyMount, SandboxSpec, SandboxStamp } from "../types.ts";
import { BOOT_LABEL, containerOptions, OWNER_LABEL } from "./container.ts";
import { DockerBox } from "./docker-box.ts";
import { bootId, connectEngine, type Engine, hostRootImage, imageFacts, sharesFiles, statusOf } from "./engine.ts";
import { type BoxFiles, copiedFiles, shownFiles } from "./files.ts";
import { Guard } from "./guard.ts";
import { removeDeadContainers } from "./leftovers.ts";
import { type Meter, meterOf } from "./meter.ts";
import { AttachedStreams } from "./streams.ts";

/** In an owner's folder: this host process has used an engine, so it may have left containers. */
export const ENGINE_USED = "engine-used";

/** The engine's runtime is a Go program of several threads, which starts within the box's limit. */
const LEAST_PIDS = 16;

const UNSEEN =
  "the container engine is on another machine or in another process namespace: it keeps to the bound, but nobody here sees that it is reached";

/** An engine whose processes cannot be seen from here bounds these, but a box that reaches the bound is not ended by it. */
const FAR: ReadonlyMap<GiveUp, string> = new Map<GiveUp, string>([
  ["pids", UNSEEN],
  ["scratchBytes", UNSEEN],
  ["scratchInodes", UNSEEN],
  [
    "cpuSeconds",
    "the container engine is on another machine or in another process namespace: it tells CPU time once a second",
  ],
]);

interface Ready {
  readonly engine: Engine;
  readonly hostRoot: string;
  /** The engine sees this host's files and is on its kernel: see files.ts and meter.ts. */
  readonly near: boolean;
}

export interface DockerStart {
  readonly id: string;
  readonly dir: string;
  readonly spec: SandboxSpec;
  readonly env: Readonly<Record<string, string>>;
  readonly limits: Limits;
  readonly uid: number;
  readonly seccomp: SeccompProfile;
  readonly stampOf: (version: string, gaveUp: readonly GiveUp[], digest?: string) => SandboxStamp;
  /** Throws on what is asked for, cannot be enforced and was not given up. */
  readonly refuse: (reasons: ReadonlyMap<GiveUp, string>) => void;
  readonly onEnded: (left?: Release) => void;
}

const Started = z.object({ State: z.object({ Pid: z.int(), Running: z.boolean() }) });

/** An engine notices an end a little late. */
const LOOKS = 20;
const LOOK_MS = 25;

export class DockerTier {
  readonly #owner: Owner;
  #ready: Promise<Ready> | undefined;
  #guard: Guard | undefined;

  constructor(owner: Owner) {
    this.#owner = owner;
  }

  get #labels(): Record<string, string> {
    return { [OWNER_LABEL]: this.#owner.name, [BOOT_LABEL]: bootId() };
  }

  /** Throws SandboxError: `refused` for what the engine does not have or cannot do, `fault` for what broke. */
  async start(request: DockerStart): Promise<DockerBox> {
    const { spec, dir, id, limits } = request;
    const { engine, hostRoot, near } = await this.#use();
    const impossible = near ? engine.unenforceable : new Map([...FAR, ...engine.unenforceable]);
    request.refuse(impossible);
    if (limits.pids < LEAST_PIDS)
      throw new SandboxError("refused", `the tier docker needs room for ${LEAST_PIDS} processes, not ${limits.pids}`);
    const image = spec.root === undefined ? undefined : await this.#image(engine.docker, spec.root.image);
    if (image === undefined && !near)
      throw new SandboxError(
        "refused",
        "this container engine does not see the host's /usr: name an image as the root",
      );
    const layers = [...(image === undefined ? hostLayers() : []), ...callersMounts(spec.mounts ?? [])];
    const ours = request.stampOf(engine.version, [...impossible.keys()], image?.id);
    const stamp = near ? ours : { ...ours, cgroup: engine.cgroup };
    let container: Docker.Container | undefined;
    let files: BoxFiles | undefined;
    try {
      const user = { uid: request.uid, gid: request.uid };
      const hostname = spec.hostname ?? "box";
      for (const name of ["", "rootfs", "agent", "empty"]) mkdirSync(join(dir, name), { mode: 0o755 });
      if (image === undefined) this.#etc(dir, user, layers, hostname);
      await this.#guarded();
      const name = `${this.#owner.name}-${id}`;
      files = near
        ? shownFiles(dir, layers, image === undefined ? join(dir, "rootfs/etc") : undefined)
        : await copiedFiles({
            docker: engine.docker,
            image: hostRoot,
            name,
            labels: this.#labels,
            agentDir: join(dir, "agent"),
            mounts: layers,
          });
      container = await engine.docker.createContainer({
        name,
        ...containerOptions({
          image: image?.id ?? hostRoot,
          imageVariables: image?.variables ?? ["PATH"],
          argv: spec.argv,
          env: { ...request.env, ...spec.env },
          cwd: spec.cwd ?? "/tmp",
          hostname,
          user,
          limits,
          mounts: files.mounts,
          seccomp: request.seccomp,
          labels: this.#labels,
        }),
      });
      const connection = await container.attach({
        stream: true,
        stdin: true,
        stdout: true,
        stderr: true,
        hijack: true,
      });
      const streams = new AttachedStreams(connection as Duplex, files.before);
      await container.start();
      const { meter, unseen } = await this.#meter(container, near ? LOOKS : 0);
      if (near && unseen) request.refuse(FAR);
      return new DockerBox({
        id,
        container,
        streams,
        meter,
        dir,
        agentDir: join(dir, "agent"),
        stamp,
        limits,
        release: files.release,
        onEnded: request.onEnded,
      });
    } catch (error) {
      await container?.remove({ force: true, v: true }).catch(() => undefined);
      await files?.release().catch(() => undefined);
      await rm(dir, { recursive: true, force: true });
      // No answer at all: the next start looks for the engine anew.
      if (statusOf(error) === undefined) this.#ready = undefined;
      // The engine's words for a program that is not there, or a limit below its own least.
      if (statusOf(error) === 400) throw new SandboxError("refused", (error as Error).message, { cause: error });
      throw SandboxError.from(error, "starting a container");
    }
  }

  /**
   * `unseen`: it runs, and yet its control groups are not to be found: the engine's process ids are not ours. A program that
   * is over already can be seen by nobody.
   */
  async #meter(container: Docker.Container, looks: number): Promise<{ meter: Meter; unseen: boolean }> {
    for (let look = 0; ; look++) {
      const { State } = Started.parse(await container.inspect());
      const meter = meterOf(container, State.Pid);
      if (meter.cgroup !== undefined || !State.Running || look >= looks)
        return { meter, unseen: State.Running && meter.cgroup === undefined };
      meter.close();
      await sleep(LOOK_MS);
    }
  }

  /** Everything in /etc of the host's root, with files where the engine lays its own. */
  #etc(dir: string, user: { uid: number; gid: number }, layers: readonly ReadOnlyMount[], hostname: string): void {
    const root = join(dir, "rootfs");
    makeRoot(
      root,
      user,
      layers.map((layer) => layer.target),
      hostname,
    );
    for (const name of ["hostname", "resolv.conf"]) writeFileSync(join(root, "etc", name), "");
  }

  async #image(docker: Docker, reference: string): Promise<{ id: string; variables: readonly string[] }> {
    const facts = await imageFacts(docker, reference);
    if (facts === undefined)
      throw new SandboxError(
        "refused",
        `the container engine has no image ${reference}; bring it there first (docker pull, docker load)`,
      );
    if (facts.volumes.length > 0)
      throw new SandboxError(
        "refused",
        `the image ${reference} declares volumes (${facts.volumes.join(", ")}): the engine would make them writable and without bounds`,
      );
    return facts;
  }

  async #use(): Promise<Ready> {
    this.#ready ??= this.#make();
    // What failed may be mended: the next start tries again.
    this.#ready.catch(() => {
      this.#ready = undefined;
    });
    return this.#ready;
  }

  /** Nothing is started without a guard. */
  async #guarded(): Promise<void> {
    if (!this.#guard?.stands) this.#guard = await Guard.start(this.#owner.name);
  }

  async #make(): Promise<Ready> {
    const engine = await connectEngine();
    await removeDeadContainers(engine.docker);
    writeFileSync(join(this.#owner.folder, ENGINE_USED), "");
    await this.#guarded();
    try {
      const hostRoot = await hostRootImage(engine.docker);
      const near = await sharesFiles(engine.docker, hostRoot, this.#owner.folder, this.#labels);
      return { engine, hostRoot, near };
    } catch (error) {
      throw SandboxError.from(error, "preparing the container engine");
    }
  }

  /** When no box is left. */
  async close(): Promise<void> {
    await this.#ready?.catch(() => undefined);
    await this.#guard?.close();
  }
}
