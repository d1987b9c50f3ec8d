/**
 * Theory of operation.
 *
 * A set of packages is what one requirements.txt asks for, installed: a virtual environment that boxes see, read-only, at
 * /packages. It is built once, in a box of its own, by uv; after that it is handed out.
 *
 *   requirements ── requirements.ts ──> lines ── package-key.ts ──> key ── there already? ──> mounts, and a lease on it
 *                                                                    │ no
 *   build box (build.ts): uv, setup.py and whatever it starts        │
 *      │ no network; asks over its pipes ── index-relay.ts ── the index, and nothing else
 *      └ its files, as an archive ── unpack.ts ──> stage ── rename ──> sets/<key> (package-store.ts)
 *
 * Who holds which privilege: the build box holds nothing but its own scratch space: no network, no secret (credentials of an
 * index stay out here), no folder of the host that it could write to. We write its files, from data that we check.
 *
 * How it fails: what the requirements do wrong is a PackagesError of kind `requirements`, what we or the index do of kind
 * `infra`. A build that is killed half-way leaves a folder in `stage`, which nobody takes for a set, and which goes with the next
 * process that opens. Two who want the same wait for one build: in one process by a promise, between processes by a lock that
 * the kernel releases when its holder dies.
 *
 * Builds share nothing: no cache of uv's, since what one build box wrote there could be run by another's.
 */
import { execFile } from "node:child_process";
import { globSync, lstatSync, mkdirSync, writeFileSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { SandboxError } from "../errors.ts";
import type { SandboxHost } from "../host.ts";
import { findPython } from "../interpreters.ts";
import { cacheFolder } from "../roots/root-cache.ts";
import type { GiveUp, ReadOnlyMount, RootImage, Runtime, Tier } from "../types.ts";
import { build } from "./build.ts";
import { type BuildLimits, completeBuildLimits } from "./build-limits.ts";
import { lockFile } from "./file-lock.ts";
import { IndexClient } from "./index-client.ts";
import { type IndexOptions, type IndexSettings, indexSettings } from "./index-settings.ts";
import { Leases } from "./leases.ts";
import { packageKey } from "./package-key.ts";
import { PackageStore, type SetDescription, type StoredSet } from "./package-store.ts";
import { PackagesError } from "./packages-error.ts";
import { knownFacts, type PythonFacts } from "./python-facts.ts";
import { parseRequirements, type Requirements } from "./requirements.ts";
import { namedUv, pinnedUv, UV_VERSION, type Uv } from "./uv.ts";

const run = promisify(execFile);

/** Where every box sees its set. */
export const PACKAGES_DIR = "/packages";

export interface PackageSet {
  /** SHA-256, hex, of everything that decides what is in it. */
  readonly key: string;
  /** All that a box needs for it: the set, and the interpreter it belongs to. */
  readonly mounts: readonly ReadOnlyMount[];
  /** The program to start, inside the box. */
  readonly python: string;
  /** The set may be collected after this. */
  release(): void;
}

export interface EnsureOptions {
  readonly signal?: AbortSignal;
  /** What is done, line by line, for people; not called for a set that is there. Must not throw. */
  readonly onProgress?: (line: string) => void;
}

export interface CollectOptions {
  /** What was not used for so long goes. */
  readonly maxAgeSeconds?: number;
  /** Of what is left, the longest unused goes until all together are no more than this. */
  readonly maxBytes?: number;
}

export interface PackageSetsOptions {
  /** Boxes for builds. Stays the caller's to close, after this. */
  readonly host: SandboxHost;
  /** The folder of guest programs, `guest/`. */
  readonly guestDir: string;
  /** The interpreter, as boxes see it. Default: python3 on PATH. */
  readonly python?: { readonly path: string; readonly mounts: readonly ReadOnlyMount[] };
  /** What stands in the place of /usr, where it does in the boxes that will use the sets. */
  readonly root?: RootImage;
  /** Of build boxes. Default: container. */
  readonly tier?: Tier;
  readonly runtime?: Runtime;
  readonly giveUp?: readonly GiveUp[];
  /** Default: as for images. */
  readonly cacheDir?: string;
  readonly index?: IndexOptions;
  /** uv by its path. Default: a pinned version from the index. */
  readonly uv?: string;
  readonly limits?: Partial<BuildLimits>;
  /** Collected by these when one is opened, and after each build. Default: 30 days, 20 GiB. */
  readonly keep?: CollectOptions;
}

const KEEP: Required<CollectOptions> = { maxAgeSeconds: 30 * 24 * 3600, maxBytes: 20 * 1024 ** 3 };

interface Building {
  readonly done: Promise<void>;
  readonly abort: AbortController;
  readonly watchers: Set<(line: string) => void>;
  waiting: number;
}

export class PackageSets {
  readonly #options: PackageSetsOptions;
  readonly #python: NonNullable<PackageSetsOptions["python"]>;
  readonly #settings: IndexSettings;
  readonly #constraints: readonly string[];
  readonly #buildConstraints: readonly string[];
  readonly #limits: BuildLimits;
  readonly #store: PackageStore;
  readonly #leases: Leases;
  readonly #client: IndexClient;
  readonly #building = new Map<string, Building>();
  /** Also those that nobody waits for any more, until they have cleared up. */
  readonly #underway = new Set<Promise<void>>();
  #facts: Promise<PythonFacts> | undefined;
  #uv: Promise<Uv> | undefined;
  #closed = false;

  private constructor(
    options: PackageSetsOptions,
    python: NonNullable<PackageSetsOptions["python"]>,
    settings: IndexSettings,
    store: PackageStore,
  ) {
    this.#options = options;
    this.#python = python;
    this.#settings = settings;
    this.#constraints = constraintLines(settings.constraints);
    this.#buildConstraints = constraintLines(settings.buildConstraints);
    this.#limits = completeBuildLimits(options.limits);
    this.#store = store;
    this.#leases = new Leases(store);
    this.#client = new IndexClient(settings);
  }

  /** Clears up what killed processes left half-built, and what was unused for long. Throws SandboxError `refused`. */
  static async open(options: PackageSetsOptions): Promise<PackageSets> {
    const settings = indexSettings(options.index);
    const python = options.python ?? (await findPython());
    const store = new PackageStore(join(options.cacheDir ?? cacheFolder(), "packages"), options.host.name);
    const sets = new PackageSets(options, python, settings, store);
    await store.sweep();
    await sets.collect(options.keep ?? KEEP);
    return sets;
  }

  /**
   * The set that these requirements ask for, built if nobody has yet. Throws PackagesError, SandboxError `refused` for what this
   * host cannot do, and what `signal` says: a build ends when nobody waits for it any more.
   */
  async ensure(requirements: string, options: EnsureOptions = {}): Promise<PackageSet> {
    options.signal?.throwIfAborted();
    if (this.#closed) throw new PackagesError("infra", "these sets of packages are closed");
    const wanted = parseRequirements(requirements, { indexes: this.#settings.indexes.map((url) => url.href) });
    let release = (): void => {};
    try {
      const key = await this.#key(wanted);
      release = this.#leases.take(key);
      if (this.#store.ready(key) === undefined) await this.#join(key, wanted, options);
      this.#store.touch(key);
      return {
        key,
        mounts: [...this.#python.mounts, { source: join(this.#store.place(key), "root"), target: PACKAGES_DIR }],
        python: `${PACKAGES_DIR}/bin/python`,
        release,
      };
    } catch (error) {
      release();
      if (error instanceof SandboxError || options.signal?.aborted) throw error;
      throw new PackagesError("infra", `keeping sets of packages: ${(error as Error).message}`, { cause: error });
    }
  }

  /** All that are built, whoever built them, the longest unused first. */
  list(): readonly StoredSet[] {
    return this.#store.list();
  }

  /** Removes sets that nobody uses, and says which. */
  async collect(options: CollectOptions = {}): Promise<readonly StoredSet[]> {
    const { maxAgeSeconds = Number.POSITIVE_INFINITY, maxBytes = Number.POSITIVE_INFINITY } = options;
    const all = this.#store.list();
    let bytes = all.reduce((sum, one) => sum + one.bytes, 0);
    const removed: StoredSet[] = [];
    for (const one of all) {
      const isOld = Date.now() - one.usedAt.getTime() >= maxAgeSeconds * 1000;
      if (one.inUse || !(isOld || bytes > maxBytes)) continue;
      const unlock = await lockFile(this.#store.lockPath(one.key), { wait: false });
      if (unlock === undefined) continue;
      try {
        if (this.#store.readyLocked(one.key) === undefined || !(await this.#store.remove(one.key))) continue;
      } finally {
        await unlock();
      }
      bytes -= one.bytes;
      removed.push(one);
    }
    return removed;
  }

  /** Ends builds, and gives back what was handed out. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const { abort } of this.#building.values())
      abort.abort(new PackagesError("infra", "these sets of packages were closed"));
    await Promise.allSettled(this.#underway);
    this.#leases.close();
    this.#client.close();
  }

  get #walls() {
    const { root, tier = "container", runtime, giveUp } = this.#options;
    return {
      tier,
      mounts: this.#python.mounts,
      ...(runtime === undefined ? {} : { runtime }),
      ...(root === undefined ? {} : { root }),
      ...(giveUp === undefined ? {} : { giveUp }),
    };
  }

  async #key(requirements: Requirements): Promise<string> {
    this.#facts ??= knownFacts(join(this.#store.folder, "facts"), this.#options.host, this.#walls, this.#python.path);
    this.#facts.catch(() => {
      this.#facts = undefined;
    });
    return packageKey({
      requirements,
      constraints: this.#constraints,
      buildConstraints: this.#buildConstraints,
      python: await this.#facts,
      interpreter: this.#python.path,
      uv: this.#options.uv === undefined ? UV_VERSION : (await this.#uvProgram()).version,
      settings: this.#settings,
    });
  }

  #uvProgram(): Promise<Uv> {
    const { uv, host } = this.#options;
    this.#uv ??=
      uv === undefined
        ? pinnedUv(join(this.#store.folder, "uv"), host.name, this.#settings, this.#client)
        : namedUv(uv, join(this.#store.folder, "uv"), host.name);
    this.#uv.catch(() => {
      this.#uv = undefined;
    });
    return this.#uv;
  }

  /** Waits for the one build of this set, and starts it if there is none. */
  async #join(key: string, requirements: Requirements, options: EnsureOptions): Promise<void> {
    const { signal, onProgress } = options;
    const building = this.#building.get(key) ?? this.#begin(key, requirements);
    building.waiting++;
    if (onProgress !== undefined) building.watchers.add(onProgress);
    let onAbort = (): void => {};
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () => reject(signal!.reason);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
    try {
      await Promise.race([building.done, aborted]);
    } finally {
      signal?.removeEventListener("abort", onAbort);
      if (onProgress !== undefined) building.watchers.delete(onProgress);
      if (--building.waiting === 0) {
        // Whoever comes now shall begin anew, and not join what is about to end.
        if (this.#building.get(key) === building) this.#building.delete(key);
        building.abort.abort(new PackagesError("infra", "nobody waits for this build any more"));
      }
    }
  }

  #begin(key: string, requirements: Requirements): Building {
    const abort = new AbortController();
    const watchers = new Set<(line: string) => void>();
    const tell = (line: string): void => {
      for (const watch of watchers) watch(line);
    };
    const done = this.#make(key, requirements, tell, abort.signal).finally(() => {
      if (this.#building.get(key) === building) this.#building.delete(key);
      this.#underway.delete(done);
    });
    done.catch(() => {});
    this.#underway.add(done);
    const building: Building = { done, abort, watchers, waiting: 0 };
    this.#building.set(key, building);
    return building;
  }

  async #make(
    key: string,
    requirements: Requirements,
    tell: (line: string) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const unlock = await lockFile(this.#store.lockPath(key), { signal });
    const stage = this.#store.stagePath();
    try {
      if (this.#store.readyLocked(key) !== undefined) return;
      const began = performance.now();
      const uv = await this.#uvProgram();
      const root = join(stage, "root");
      mkdirSync(stage, { mode: 0o700 });
      // A box's own user must be able to pass, whatever our umask is.
      await run("install", ["-d", "-m", "755", root]);
      tell("building the packages");
      const made = await build({
        host: this.#options.host,
        walls: this.#walls,
        python: this.#python.path,
        guestDir: this.#options.guestDir,
        uv,
        client: this.#client,
        settings: this.#settings,
        requirements,
        constraints: this.#constraints,
        buildConstraints: this.#buildConstraints,
        limits: this.#limits,
        folder: root,
        onLine: tell,
        signal,
      });
      const description: SetDescription = {
        format: 1,
        key,
        requirements: [...requirements.lines],
        packages: installed(root),
        python: (await this.#facts!).version,
        uv: uv.version,
        ...made,
        builtAt: new Date().toISOString(),
        buildSeconds: Math.round(performance.now() - began) / 1000,
      };
      writeFileSync(join(stage, "set.json"), JSON.stringify(description));
      // A crash of the machine must not leave a complete name over empty files.
      await run("sync", ["-f", stage]);
      signal.throwIfAborted();
      await rm(this.#store.place(key), { recursive: true, force: true });
      await rename(stage, this.#store.place(key));
    } finally {
      await rm(stage, { recursive: true, force: true });
      await unlock();
    }
    this.collect(this.#options.keep ?? KEEP).catch((error: Error) =>
      process.emitWarning(`collecting packages: ${error.message}`, "LanistaWarning"),
    );
  }
}

/** The operator's own, not an author's. Throws SandboxError `refused`. */
function constraintLines(text: string): readonly string[] {
  try {
    return parseRequirements(text).lines;
  } catch (error) {
    throw new SandboxError("refused", `the constraints: ${(error as Error).message}`, { cause: error });
  }
}

/** The names of what describes each package. Throws PackagesError `requirements` where this is no environment at all. */
function installed(root: string): string[] {
  const python = lstatSync(join(root, "bin/python"), { throwIfNoEntry: false });
  if (python?.isSymbolicLink() !== true)
    throw new PackagesError("requirements", "the build's files cannot be taken: there is no interpreter among them");
  return globSync("lib/python*/site-packages/*.dist-info", { cwd: root })
    .flatMap((path) => /([A-Za-z0-9_.]+)-([^-/]+)\.dist-info$/.exec(path)?.slice(1, 3).join("==") ?? [])
    .sort();
}
