/** Grades aiVLE's zips in sandboxes, with packages made ready once for all jobs that ask for the same. */
import { gradeBundles } from "@lanista/arena/legacy/grade-bundles";
import { LegacyBoxes } from "@lanista/arena/legacy/legacy-boxes";
import { LegacyPackages } from "@lanista/arena/legacy/legacy-packages";
import { SandboxHost } from "@lanista/sandbox/host";
import { findPython } from "@lanista/sandbox/interpreters";
import type { GiveUp, Tier } from "@lanista/sandbox/types";
import type { PackageWishes } from "../config/package-settings.ts";
import { ReleaseStack } from "../release-stack.ts";
import { type GradeRequest, nobodys, type SiteGrade } from "./grader.ts";

const MIB = 2 ** 20;
/** aiVLE's worker waits so much longer than the task's limit. */
const GRACE_SECONDS = 30;
const MOST_WARM = 8;

export interface LegacyGraderOptions {
  readonly tier: Tier;
  readonly giveUp: readonly GiveUp[];
  /** By their CDI names. */
  readonly gpus: readonly string[];
  /** Where packages come from, and what building them may take. */
  readonly wishes?: PackageWishes;
  /** The host's folder of runners, mounted into sandboxes. */
  readonly guestDir: string;
  readonly concurrency: number;
  /** Told what could not be released. */
  readonly onUnclosed: (what: string, error: unknown) => void;
}

export class LegacyGrader {
  readonly #boxes: LegacyBoxes;
  readonly #packages: LegacyPackages;
  readonly #releases: ReleaseStack;

  private constructor(boxes: LegacyBoxes, packages: LegacyPackages, releases: ReleaseStack) {
    this.#boxes = boxes;
    this.#packages = packages;
    this.#releases = releases;
  }

  /** Throws SandboxError where this host cannot give such sandboxes: one is started to see it. */
  static async open({
    tier,
    giveUp,
    gpus,
    wishes,
    guestDir,
    concurrency,
    onUnclosed,
  }: LegacyGraderOptions): Promise<LegacyGrader> {
    const releases = new ReleaseStack(onUnclosed);
    try {
      const host = await SandboxHost.open();
      releases.add("the sandboxes' host", () => host.close());
      const python = await findPython();
      // Packages are built in boxes with walls, whatever they are then used in.
      const walls = tier === "container" || tier === "gvisor" ? { tier, giveUp } : {};
      const packages = await LegacyPackages.open({ host, ...wishes, guestDir, python, ...walls });
      releases.add("the packages", () => packages.close());
      const warm = Math.min(2 * concurrency, MOST_WARM);
      const boxes = new LegacyBoxes(host, { tier, giveUp, python, guestDir, warm, ...(gpus.length > 0 && { gpus }) });
      releases.add("the sandboxes", () => boxes.close());
      const trial = await boxes.takeReader();
      trial.kill("it was a trial");
      await trial.ended;
      return new LegacyGrader(boxes, packages, releases);
    } catch (error) {
      await releases.release();
      throw error;
    }
  }

  async grade({ grader, agent, limits, log, signal }: GradeRequest): Promise<SiteGrade> {
    const { ramMiB, vramMiB, seconds } = limits;
    const { site, grade } = await gradeBundles({
      boxes: this.#boxes,
      grader,
      agent,
      limits: {
        ramBytes: Math.max(0, ramMiB) * MIB,
        ...(vramMiB > 0 && { vramBytes: vramMiB * MIB }),
        runSeconds: seconds > 0 ? seconds + GRACE_SECONDS : 0,
      },
      packages: (requirements, stop) =>
        this.#packages.ensure(requirements, {
          ...(stop !== undefined && { signal: stop }),
          onProgress: (line) => log.debug({ packages: line }, "making packages ready"),
        }),
      signal,
    });
    signal.throwIfAborted();
    const { outcome, split, wallSeconds } = grade;
    log.info({ outcome: outcome.kind, split, seconds: Math.round(wallSeconds * 100) / 100 }, "graded");
    if (outcome.kind === "infra_fault" || outcome.kind === "cancelled")
      return { kind: "ours", why: outcome.detail ?? outcome.kind };
    // What the task's author did is no student's fault, also where aiVLE has no word for it.
    const { fault, where, detail } = outcome;
    const author = where === "grader" && (fault === "bundle" || fault === "requirements");
    return { kind: "graded", site: author ? nobodys(detail ?? fault) : site };
  }

  async close(): Promise<void> {
    await this.#releases.release();
  }
}
