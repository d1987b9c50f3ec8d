/** For tests: tasks and agents of a few lines, graded in real boxes. */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { SandboxHost } from "@lanista/sandbox/host";
import { findNode, findPython } from "@lanista/sandbox/interpreters";
import { AgentBoxes } from "../agent-boxes.ts";
import { prepareAgent } from "../agents/prepare.ts";
import { type GradeRequest, gradeAgent } from "./grade.ts";
import type { Grade } from "./grade-types.ts";
import { type PreparedTask, takeTask } from "./task.ts";

export const GUEST_DIR = join(import.meta.dirname, "../../../../guest");
export const TIER = existsSync("/usr/bin/crun") ? "container" : "none";

export type Files = Readonly<Record<string, string | Buffer | undefined>>;

export class GradingStage {
  readonly dir: string;
  readonly boxes: AgentBoxes;
  readonly host: SandboxHost;
  #made = 0;

  private constructor(dir: string, host: SandboxHost, boxes: AgentBoxes) {
    this.dir = dir;
    this.boxes = boxes;
    this.host = host;
  }

  static async open(): Promise<GradingStage> {
    const dir = await mkdtemp(join(tmpdir(), "lanista-grading-"));
    const host = await SandboxHost.open({ runDir: join(dir, "run") });
    const interpreters = { python: await findPython("/usr/bin/python3"), javascript: findNode() };
    const limits = { memoryBytes: 128 * 1024 * 1024 };
    return new GradingStage(dir, host, new AgentBoxes(host, { tier: TIER, interpreters, guestDir: GUEST_DIR, limits }));
  }

  async folder(files: Files): Promise<string> {
    const at = join(this.dir, `given-${this.#made++}`);
    for (const [name, text] of Object.entries(files)) {
      if (text === undefined) continue;
      await mkdir(dirname(join(at, name)), { recursive: true });
      await writeFile(join(at, name), text);
    }
    return at;
  }

  async task(files: Files): Promise<PreparedTask> {
    return await takeTask(await this.folder(files), join(this.dir, "work"));
  }

  /** `agent`: the text of a Python file, or files. */
  async grade(task: PreparedTask, agent: string | Files, more: Partial<GradeRequest> = {}): Promise<Grade> {
    const path = await this.folder(typeof agent === "string" ? { "agent.py": agent } : agent);
    const prepared = await prepareAgent(path, { workDir: join(this.dir, "work") });
    return await gradeAgent({ task, agent: prepared, boxes: this.boxes, ...more });
  }

  async close(): Promise<void> {
    await this.boxes.close();
    await this.host.close();
    await rm(this.dir, { recursive: true, force: true });
  }
}
