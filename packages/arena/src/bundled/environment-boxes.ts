/**
 * Boxes for environments from bundles. A bundle's environment with its options fixed is a BundledSource: to know its seats and spaces
 * it has been opened in a box once, and that box is the first that is played in; every further one is opened like it and must say
 * the same of itself.
 */
import { normaliseOptions, type Options } from "@lanista/games/options";
import { SandboxError } from "@lanista/sandbox/errors";
import type { SandboxHost } from "@lanista/sandbox/host";
import type { PackageSet } from "@lanista/sandbox/python/package-sets";
import type { GiveUp, Runtime, Sandbox, Tier } from "@lanista/sandbox/types";
import { GUEST_DIR, type Interpreter, InterpreterMissingError, pythonEnv } from "../agents/command.ts";
import { copyIn } from "../agents/copy-in.ts";
import { EnvironmentFault, type EpisodeSource, type SeatView } from "../episodes/episodes.ts";
import type { PackagesProvider } from "../packages-provider.ts";
import { BoxedEpisodes } from "./boxed-episodes.ts";
import { EnvironmentBundleError } from "./bundle-error.ts";
import { type Description, readDescription } from "./description.ts";
import { EnvironmentProgram } from "./environment-program.ts";
import type { BundledEnvironment } from "./take.ts";

export interface EnvironmentBoxesOptions {
  readonly tier: Tier;
  readonly runtime?: Runtime;
  readonly giveUp?: readonly GiveUp[];
  /** The host's folder of runners. */
  readonly guestDir: string;
  /** For bundles without requirements. */
  readonly python?: Interpreter;
  /** For those with. */
  readonly packages?: PackagesProvider;
}

const DAY = 86_400;
/** Answers are bounded one by one, and what it prints by the program's reader: a long match is no misuse. */
const NO_OUTPUT_LIMIT = 2 ** 50;

export class EnvironmentBoxes {
  readonly #host: SandboxHost;
  readonly #options: EnvironmentBoxesOptions;

  constructor(host: SandboxHost, options: EnvironmentBoxesOptions) {
    this.#host = host;
    this.#options = options;
  }

  /**
   * Opens the environment once. Throws OptionError on `given`, EnvironmentBundleError where its manifest and what it says of itself do
   * not fit, EnvironmentFault, what the provider of packages throws, and SandboxError.
   */
  async source(
    bundle: BundledEnvironment,
    given: Readonly<Record<string, unknown>> = {},
    signal?: AbortSignal,
  ): Promise<BundledSource> {
    const options = normaliseOptions(bundle.manifest.options, given);
    const packages = await this.#packages(bundle, signal);
    try {
      const opened = await this.open(bundle, options, packages, signal);
      try {
        checkSeats(bundle, opened.description);
      } catch (error) {
        await opened.program.close();
        throw error;
      }
      return new BundledSource(this, bundle, options, packages, opened);
    } catch (error) {
      packages.release();
      throw error;
    }
  }

  async #packages({ requirements }: BundledEnvironment, signal?: AbortSignal): Promise<PackageSet> {
    const { packages, python } = this.#options;
    if (requirements !== null) {
      if (packages === undefined)
        throw new EnvironmentBundleError("the environment has a requirements.txt, and packages are not to be had here");
      return packages(requirements, signal);
    }
    if (python === undefined)
      throw new InterpreterMissingError(
        "no Python 3.8 or newer was found on this host for an environment; install one",
      );
    return { key: "", mounts: python.mounts, python: python.path, release: () => {} };
  }

  /** Starts a box and opens the environment in it. Throws EnvironmentFault, and SandboxError where the host refuses. */
  async open(
    bundle: BundledEnvironment,
    options: Options,
    packages: PackageSet,
    signal?: AbortSignal,
  ): Promise<Opened> {
    const { manifest } = bundle;
    const program = new EnvironmentProgram(await this.#start(bundle, packages));
    const cancel = (): void => program.cancel();
    signal?.addEventListener("abort", cancel);
    try {
      if (signal?.aborted) cancel();
      const { entry, api, mask, kwargs, limits } = manifest;
      const question = {
        type: "open",
        entry,
        api,
        mask,
        kwargs: { ...kwargs, ...options },
        dir: program.sandbox.agentPath,
      };
      const answer = await program.ask(question, limits.startSeconds);
      try {
        return { program, description: readDescription(answer, api === "pettingzoo-parallel") };
      } catch (error) {
        throw program.blame((error as Error).message);
      }
    } catch (error) {
      await program.close();
      throw error;
    } finally {
      signal?.removeEventListener("abort", cancel);
    }
  }

  async #start({ manifest, dir, bytes }: BundledEnvironment, packages: PackageSet): Promise<Sandbox> {
    const { tier, runtime, giveUp, guestDir } = this.#options;
    const { memoryBytes, cpus, pids } = manifest.limits;
    try {
      const sandbox = await this.#host.start({
        tier,
        ...(runtime === undefined ? {} : { runtime }),
        ...(giveUp === undefined ? {} : { giveUp }),
        argv: [packages.python, "-s", "-B", "-X", "utf8", `${GUEST_DIR}/python/environment_runner.py`],
        env: pythonEnv,
        mounts: [...packages.mounts, { source: guestDir, target: GUEST_DIR }],
        limits: { wallSeconds: DAY, cpuSeconds: DAY, outputBytes: NO_OUTPUT_LIMIT, memoryBytes, cpus, pids },
      });
      try {
        await copyIn({ dir, bytes }, sandbox.agentDir);
      } catch (error) {
        sandbox.kill("its environment's files could not be copied");
        await sandbox.ended;
        throw error;
      }
      return sandbox;
    } catch (error) {
      if (error instanceof SandboxError && error.code === "refused") throw error;
      throw new EnvironmentFault(`the environment's box could not be started: ${(error as Error).message}`, {
        ours: true,
        cause: error,
      });
    }
  }
}

export interface Opened {
  readonly program: EnvironmentProgram;
  readonly description: Description;
}

function checkSeats({ manifest }: BundledEnvironment, { seats }: Description): void {
  const { seats: named } = manifest;
  if (named !== undefined && JSON.stringify(named) !== JSON.stringify(seats))
    throw new EnvironmentBundleError(
      `environment.yaml: seats: are ${JSON.stringify(named)}, the environment says ${JSON.stringify(seats)}`,
    );
}

export class BundledSource implements EpisodeSource {
  readonly id: string;
  readonly version: number;
  readonly options: Options;
  readonly bundle: string;
  readonly views: readonly SeatView[];
  readonly returnRange: readonly [number, number];
  readonly zeroSum: boolean;
  /** The seats' names. */
  readonly seats: readonly string[];
  readonly environment: BundledEnvironment;
  readonly #boxes: EnvironmentBoxes;
  readonly #packages: PackageSet;
  readonly #described: string;
  #spare: EnvironmentProgram | undefined;
  #closed = false;

  constructor(
    boxes: EnvironmentBoxes,
    environment: BundledEnvironment,
    options: Options,
    packages: PackageSet,
    opened: Opened,
  ) {
    const { manifest, digest } = environment;
    this.id = manifest.id;
    this.version = manifest.version;
    this.options = options;
    this.bundle = digest;
    this.views = opened.description.views;
    this.seats = opened.description.seats;
    this.returnRange = manifest.returnRange;
    this.zeroSum = manifest.zeroSum;
    this.environment = environment;
    this.#boxes = boxes;
    this.#packages = packages;
    this.#described = JSON.stringify(opened.description);
    this.#spare = opened.program;
  }

  async open(signal?: AbortSignal): Promise<BoxedEpisodes> {
    if (this.#closed) throw new Error("the source is closed");
    const spare = this.#spare;
    this.#spare = undefined;
    const program = spare ?? (await this.#another(signal));
    return new BoxedEpisodes(program, this.environment.manifest, this.views);
  }

  async #another(signal?: AbortSignal): Promise<EnvironmentProgram> {
    const { program, description } = await this.#boxes.open(this.environment, this.options, this.#packages, signal);
    if (JSON.stringify(description) === this.#described) return program;
    const fault = program.blame("it says other things of its seats and spaces than the first time");
    await program.close();
    throw fault;
  }

  /** Ends the box that nobody played in, and lets go of the packages. Boxes that are played in are whoever's opened them. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#spare?.close();
    this.#packages.release();
  }
}
