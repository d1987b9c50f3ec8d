/** For tests: bundle pairs as folders of texts, graded in boxes of this host's. */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { SandboxHost } from "@lanista/sandbox/host";
import { findPython } from "@lanista/sandbox/interpreters";
import type { Runtime } from "@lanista/sandbox/types";
import { gradeBundles, type LegacyRequest } from "./grade-bundles.ts";
import { LegacyBoxes } from "./legacy-boxes.ts";
import type { LegacyGrade } from "./types.ts";

const guestDir = join(import.meta.dirname, "../../../../guest");

/** The runtimes of this host that boxes can be had of. */
export const RUNTIMES = (
  [
    ["crun", "/usr/bin/crun"],
    ["runc", "/usr/sbin/runc"],
    ["runsc", "/usr/bin/runsc"],
  ] as const
).flatMap(([runtime, file]) => (existsSync(file) ? [runtime] : []));

export type Files = Readonly<Record<string, string>>;

export const BOOTSTRAP = "#!/bin/bash\npython grader.py\n";

export class LegacyBench {
  readonly boxes: LegacyBoxes;
  readonly host: SandboxHost;
  readonly #dir: string;
  #made = 0;

  private constructor(host: SandboxHost, boxes: LegacyBoxes, dir: string) {
    this.host = host;
    this.boxes = boxes;
    this.#dir = dir;
  }

  static async open(runtime?: Runtime): Promise<LegacyBench> {
    const dir = await mkdtemp(join(tmpdir(), "lanista-legacy-"));
    const host = await SandboxHost.open({ runDir: join(dir, "run") });
    const python = await findPython("/usr/bin/python3");
    const tier = runtime === "runsc" ? "gvisor" : "container";
    const places =
      runtime === "runsc" ? { runtime, giveUp: ["pids"] as const } : runtime === undefined ? {} : { runtime };
    const boxes = new LegacyBoxes(host, { tier, ...places, python, guestDir });
    return new LegacyBench(host, boxes, dir);
  }

  async folder(files: Files): Promise<string> {
    const at = join(this.#dir, `given-${this.#made++}`);
    await mkdir(at);
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(at, name)), { recursive: true });
      await writeFile(join(at, name), text);
    }
    return at;
  }

  /** A text is agent.py's; a grader without bootstrap.sh gets the usual one. */
  async grade(grader: string | Files, agent: string | Files, more: Partial<LegacyRequest> = {}): Promise<LegacyGrade> {
    const graderFiles = typeof grader === "string" ? { "grader.py": grader } : grader;
    const agentFiles = typeof agent === "string" ? { "agent.py": agent } : agent;
    return await this.gradeFolders({
      grader: await this.folder({ "bootstrap.sh": BOOTSTRAP, ...graderFiles }),
      agent: await this.folder(agentFiles),
      limits: { ramBytes: 512 * 1024 * 1024, runSeconds: 20 },
      ...more,
    });
  }

  async gradeFolders(request: Omit<LegacyRequest, "boxes">): Promise<LegacyGrade> {
    return await gradeBundles({ boxes: this.boxes, ...request });
  }

  async close(): Promise<void> {
    await this.boxes.close();
    await this.host.close();
    await rm(this.#dir, { recursive: true, force: true });
  }
}
