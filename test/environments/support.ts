/** For tests: bundles made from a manifest and files, boxes with the real libraries in them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { AgentBoxes, type AgentBoxesOptions } from "@lanista/arena/agent-boxes";
import { prepareAgent } from "@lanista/arena/agents/prepare";
import {
  type BundledSource,
  EnvironmentBoxes,
  type EnvironmentBoxesOptions,
} from "@lanista/arena/bundled/environment-boxes";
import { takeBundledEnvironment } from "@lanista/arena/bundled/take";
import type { Contender } from "@lanista/arena/contender";
import { type PlayedMatch, playMatch } from "@lanista/arena/match";
import type { MatchRequest } from "@lanista/arena/match-plan";
import { SandboxHost } from "@lanista/sandbox/host";
import { findPython } from "@lanista/sandbox/interpreters";
import { pythonPackages } from "../server/python.ts";

export const GUEST = join(import.meta.dirname, "..", "..", "guest");
/** A virtual environment with Gymnasium and PettingZoo; null where they cannot be had. */
export const LIBRARIES = pythonPackages(join(import.meta.dirname, "requirements.txt"));

export class Workplace {
  readonly dir = mkdtempSync(join(tmpdir(), "lanista-environments-"));
  readonly host: SandboxHost;
  #count = 0;

  private constructor(host: SandboxHost) {
    this.host = host;
  }

  static async open(): Promise<Workplace> {
    return new Workplace(await SandboxHost.open());
  }

  /** Whatever the requirements say, the libraries of the tests' own are given. */
  async boxes(more: Partial<EnvironmentBoxesOptions> = {}): Promise<EnvironmentBoxes> {
    const libraries = LIBRARIES === null ? undefined : await findPython(join(LIBRARIES, "bin", "python"));
    return new EnvironmentBoxes(this.host, {
      tier: "container",
      guestDir: GUEST,
      python: libraries ?? (await findPython()),
      packages: async () => ({ key: "", mounts: libraries!.mounts, python: libraries!.path, release: () => {} }),
      ...more,
    });
  }

  /** Plays a match; `agents` are Python sources, one for each seat. */
  async play(
    source: BundledSource,
    agents: readonly string[],
    { tier = "container", runtime, ...more }: Partial<MatchRequest & AgentBoxesOptions> = {},
  ): Promise<PlayedMatch> {
    const interpreters = { python: await findPython() };
    const given = runtime === undefined ? { tier } : { tier, runtime };
    const boxes = new AgentBoxes(this.host, {
      ...given,
      ...(more.giveUp === undefined ? {} : { giveUp: more.giveUp }),
      interpreters,
      guestDir: GUEST,
    });
    const contenders: Contender[] = [];
    for (const text of agents) {
      const folder = this.folder({ "agent.py": text });
      contenders.push(boxes.contender(await prepareAgent(folder, { workDir: join(this.dir, "agents") })));
    }
    return playMatch({ seed: 5, ...more, env: source, contenders });
  }

  /** A folder with these files, taken in. */
  bundle(files: Readonly<Record<string, string>>) {
    return takeBundledEnvironment(this.folder(files), join(this.dir, "taken"));
  }

  folder(files: Readonly<Record<string, string>>): string {
    const folder = join(this.dir, `bundle-${++this.#count}`);
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    return folder;
  }

  async close(): Promise<void> {
    await this.host.close();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
