/** What the runs of a worker share: the host of their sandboxes, interpreters, and the files of agents, tasks and environments. */
import { join } from "node:path";
import { AgentBoxes, type AgentBoxesOptions } from "@lanista/arena/agent-boxes";
import type { Interpreters } from "@lanista/arena/agents/command";
import { prepareAgent } from "@lanista/arena/agents/prepare";
import type { PreparedAgent } from "@lanista/arena/agents/types";
import { type BundledEnvironment, takeBundledEnvironment } from "@lanista/arena/bundled/take";
import type { PreparedTask } from "@lanista/arena/grading/task";
import { SandboxHost } from "@lanista/sandbox/host";
import { findNode, findPython } from "@lanista/sandbox/interpreters";
import type { Limits, Runtime } from "@lanista/sandbox/types";
import type { TierAbility } from "./abilities.ts";
import { BundleCache, type FetchBytes } from "./bundle-cache.ts";
import { GradingTools, type GradingWalls } from "./grading-tools.ts";
import { Meter, type Reading } from "./meter.ts";
import type { WorkerPlan } from "./options.ts";
import { PreparedBundles, type Taken } from "./prepared-bundles.ts";
import { takesLayouts, tryImage } from "./root-image.ts";
import type { Run } from "./runners/runner.ts";
import { type UnpackedTask, unpackTask } from "./unpack-task.ts";

/** How a bundle is got from the server, for a run's own job. */
export type Fetch = (run: Pick<Run, "jobId" | "fence">, digest: string) => FetchBytes;

export interface Health extends Reading {
  readonly liveSandboxes: number;
  readonly leakedSandboxes: bigint;
}

/** What a job says of its boxes. */
export interface BoxWishes {
  /** Empty: the first that this worker offers. */
  readonly tier: string;
  readonly runtime?: string | undefined;
  /** The root of agents' boxes, in the place of the worker's own. */
  readonly image?: string | undefined;
  readonly limits: { readonly [Name in keyof Limits]?: number | undefined };
  /** Devices that are the job's own, for agents' boxes. */
  readonly gpus?: readonly string[] | undefined;
}

export class Workshop {
  readonly host: SandboxHost;
  readonly meter: Meter;
  readonly #plan: WorkerPlan;
  readonly #tiers: readonly TierAbility[];
  readonly #interpreters: Interpreters;
  readonly #agents: PreparedBundles<PreparedAgent>;
  readonly #tasks: PreparedBundles<UnpackedTask>;
  readonly #environments: PreparedBundles<BundledEnvironment>;
  readonly #fetch: Fetch;
  readonly #grading: GradingTools;

  private constructor(
    plan: WorkerPlan,
    tiers: readonly TierAbility[],
    host: SandboxHost,
    meter: Meter,
    interpreters: Interpreters,
    fetch: Fetch,
  ) {
    this.#plan = plan;
    this.#tiers = tiers;
    this.host = host;
    this.meter = meter;
    this.#interpreters = interpreters;
    this.#fetch = fetch;
    const bundles = new BundleCache(plan.cacheDir ?? join(host.workDir, "bundles"), plan.cacheBytes);
    this.#agents = new PreparedBundles(join(host.workDir, "agents"), bundles, (path, workDir) =>
      prepareAgent(path, { workDir }),
    );
    this.#tasks = new PreparedBundles(join(host.workDir, "tasks"), bundles, unpackTask);
    this.#environments = new PreparedBundles(join(host.workDir, "environments"), bundles, takeBundledEnvironment);
    this.#grading = new GradingTools(host, interpreters.python, plan.packages);
  }

  /** Throws SandboxError where this host has no place for sandboxes, and what `tryImage` throws. */
  static async open(plan: WorkerPlan, tiers: readonly TierAbility[], fetch: Fetch): Promise<Workshop> {
    const meter = new Meter();
    const host = await SandboxHost.open({
      onPhase: (tier, phase, milliseconds) => meter.started({ tier, phase, milliseconds }),
    }).catch((error: unknown) => {
      meter.close();
      throw error;
    });
    try {
      await tryImage(host, tiers, plan);
    } catch (error) {
      meter.close();
      await host.close();
      throw error;
    }
    // A host without Python still plays agents in JavaScript; an agent that needs it is told so, as a fault of ours.
    const python = await findPython(plan.python).catch(() => undefined);
    const interpreters = { ...(python === undefined ? {} : { python }), javascript: findNode() };
    return new Workshop(plan, tiers, host, meter, interpreters, fetch);
  }

  get engineVersion(): string {
    return this.#plan.version;
  }

  /** Where a run may put files: goes with the process. */
  get workDir(): string {
    return join(this.host.workDir, "runs");
  }

  /** As it is now; what happened, since the last call. */
  health(): Health {
    const { live, leaked } = this.host;
    return { ...this.meter.read(), liveSandboxes: live, leakedSandboxes: BigInt(leaked) };
  }

  /** Throws an Error where this worker does not offer what is wished for. */
  boxOptions({ tier, runtime, limits, image, gpus = [] }: BoxWishes): AgentBoxesOptions {
    const found = this.#tiers.find(
      (one) => (tier === "" || one.tier === tier) && (runtime ?? one.runtime) === one.runtime,
    );
    if (found === undefined)
      throw new Error(`this worker does not offer the tier ${tier || "asked for"}${runtime ? ` by ${runtime}` : ""}`);
    const root = image ?? (takesLayouts(found.tier) ? this.#plan.image : undefined);
    const known = Object.entries(limits).filter((entry): entry is [string, number] => entry[1] !== undefined);
    return {
      tier: found.tier,
      runtime: found.runtime as Runtime,
      limits: Object.fromEntries(known) as Partial<Limits>,
      giveUp: this.#plan.giveUp,
      interpreters: this.#interpreters,
      ...(root === undefined ? {} : { image: root }),
      ...(gpus.length === 0 ? {} : { gpus }),
      guestDir: this.#plan.guestDir,
    };
  }

  boxes(wishes: BoxWishes): AgentBoxes {
    return new AgentBoxes(this.host, this.boxOptions(wishes));
  }

  /** Throws EnvironmentBundleError, BundleError for what its author did wrong. */
  environment(run: Run, digest: string): Promise<Taken<BundledEnvironment>> {
    return this.#environments.take(digest, this.#fetch(run, digest), run.signal);
  }

  /** Throws BundleError for what the participant did wrong. */
  agent(run: Run, digest: string): Promise<Taken<PreparedAgent>> {
    return this.#agents.take(digest, this.#fetch(run, digest), run.signal);
  }

  /** Throws TaskError and BundleError for what the task's author did wrong. */
  task(run: Run, digest: string): Promise<Taken<PreparedTask>> {
    return this.#tasks.take(digest, this.#fetch(run, digest), run.signal);
  }

  /** What a grading by such boxes needs beside them. */
  gradingTools(wishes: BoxWishes) {
    const { tier, runtime, giveUp, guestDir, gpus } = this.boxOptions(wishes);
    const walls: GradingWalls = {
      tier,
      guestDir,
      ...(runtime === undefined ? {} : { runtime }),
      ...(giveUp === undefined ? {} : { giveUp }),
    };
    return {
      packages: this.#grading.packages(walls),
      environments: this.#grading.environments(walls),
      legacy: () => this.#grading.legacy(walls, gpus),
    };
  }

  withBundle<T>(run: Run, digest: string, use: (path: string) => Promise<T>): Promise<T> {
    return this.#agents.withBundle(digest, this.#fetch(run, digest), run.signal, use);
  }

  /** Kills every box, and removes what the runs left. */
  async close(): Promise<void> {
    this.meter.close();
    await this.#grading.close();
    await this.host.close();
  }
}
