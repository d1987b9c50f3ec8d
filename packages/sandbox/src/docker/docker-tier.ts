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
import type Docker from "dockerode";
import type { MountSettings } from "dockerode";
import { z } from "zod";
import { SandboxError } from "../errors.ts";
import type { Owner } from "../owners.ts";
import { callersMounts, hostLayers, makeRoot } from "../root.ts";
import type { SeccompProfile } from "../seccomp.ts";
import type { GiveUp, Limits, ReadOnlyMount, SandboxSpec, SandboxStamp } from "../types.ts";
import { BOOT_LABEL, containerOptions, OWNER_LABEL } from "./container.ts";
import { DockerBox } from "./docker-box.ts";
import { bootId, connectEngine, type Engine, hostRootImage, imageFacts, sharesFiles, statusOf } from "./engine.ts";
import { Guard } from "./guard.ts";
import { removeDeadContainers } from "./leftovers.ts";
import { meterOf } from "./meter.ts";
import { AttachedStreams } from "./streams.ts";

/** In an owner's folder: this host process has used an engine, so it may have left containers. */
export const ENGINE_USED = "engine-used";

/** The engine's runtime is a Go program of several threads, which starts within the box's limit. */
const LEAST_PIDS = 16;

interface Ready {
  readonly engine: Engine;
  readonly hostRoot: string;
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
  readonly onEnded: () => void;
}

const Started = z.object({ State: z.object({ Pid: z.number().int() }) });

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
    const { engine, hostRoot } = await this.#use();
    request.refuse(engine.unenforceable);
    if (limits.pids < LEAST_PIDS)
      throw new SandboxError("refused", `the tier docker needs room for ${LEAST_PIDS} processes, not ${limits.pids}`);
    const image = spec.root === undefined ? undefined : await this.#image(engine.docker, spec.root.image);
    const layers =
      image === undefined ? [...hostLayers(), ...callersMounts(spec.mounts ?? [])] : callersMounts(spec.mounts ?? []);
    const stamp = request.stampOf(engine.version, [...engine.unenforceable.keys()], image?.id);
    let container: Docker.Container | undefined;
    try {
      const user = { uid: request.uid, gid: request.uid };
      const hostname = spec.hostname ?? "box";
      for (const name of ["", "rootfs", "agent", "empty"]) mkdirSync(join(dir, name), { mode: 0o755 });
      if (image === undefined) this.#etc(dir, user, layers, hostname);
      await this.#guarded();
      container = await engine.docker.createContainer({
        name: `${this.#owner.name}-${id}`,
        ...containerOptions({
          image: image?.id ?? hostRoot,
          imageVariables: image?.variables ?? ["PATH"],
          argv: spec.argv,
          env: { ...request.env, ...spec.env },
          cwd: spec.cwd ?? "/tmp",
          hostname,
          user,
          limits,
          mounts: mountsOf(dir, layers, image === undefined),
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
      const streams = new AttachedStreams(connection as Duplex);
      await container.start();
      const { State } = Started.parse(await container.inspect());
      return new DockerBox({
        id,
        container,
        streams,
        meter: meterOf(container, State.Pid),
        dir,
        agentDir: join(dir, "agent"),
        stamp,
        limits,
        release: async () => {},
        onEnded: request.onEnded,
      });
    } catch (error) {
      await container?.remove({ force: true, v: true }).catch(() => undefined);
      await rm(dir, { recursive: true, force: true });
      // No answer at all: the next start looks for the engine anew.
      if (statusOf(error) === undefined) this.#ready = undefined;
      // The engine's words for a program that is not there, or a limit below its own least.
      if (statusOf(error) === 400) throw new SandboxError("refused", (error as Error).message, { cause: error });
      throw SandboxError.from(error, "starting a container");
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
      if (!(await sharesFiles(engine.docker, hostRoot, this.#owner.folder, this.#labels)))
        throw new SandboxError(
          "refused",
          "the container engine does not see this host's files, as one on another machine or in another root does not",
        );
      return { engine, hostRoot };
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

/** Host folders come through an overlay each, as an unnamed volume of the box's own: never by an inode that is shared. */
function mountsOf(dir: string, layers: readonly ReadOnlyMount[], hostRoot: boolean): MountSettings[] {
  const empty = join(dir, "empty");
  const bind = (Source: string, Target: string): MountSettings => ({ Type: "bind", Source, Target, ReadOnly: true });
  const overlay = ({ source, target }: ReadOnlyMount): MountSettings =>
    ({
      Type: "volume",
      Target: target,
      VolumeOptions: {
        NoCopy: true,
        DriverConfig: {
          Name: "local",
          Options: { type: "overlay", device: "overlay", o: `ro,nosuid,nodev,lowerdir=${source}:${empty}` },
        },
      },
      // Without a name: the types insist on one.
    }) as unknown as MountSettings;
  return [
    ...(hostRoot ? [bind(join(dir, "rootfs/etc"), "/etc")] : []),
    ...layers.map(overlay),
    bind(join(dir, "agent"), "/agent"),
  ];
}
