/** For tests: agents as a few lines of Python that speak the protocol by hand, in real processes without walls. */
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SandboxHost } from "@lanista/sandbox/host";
import type { SandboxSpec } from "@lanista/sandbox/types";
import type { Contender } from "../contender.ts";

const PRELUDE = `
import sys, json, time, os, threading
def read():
    line = sys.stdin.readline()
    if not line: sys.exit(0)
    return json.loads(line)
def raw(text):
    sys.stdout.write(text); sys.stdout.flush()
def say(message): raw(json.dumps(message) + "\\n")
def first(q): return q["action_mask"].index(1)
def answer(q, action): say({"id": q["id"], "action": action})
def ready():
    start = read(); say({"type": "ready", "protocol": 1}); return start
def questions():
    while True:
        q = read()
        if q["type"] == "act": yield q
def burn(seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until: pass
`;

/** Plays the first legal action. */
export const FIRST = "ready()\nfor q in questions(): answer(q, first(q))";

export class Stage {
  readonly #host: SandboxHost;
  readonly #dir: string;

  private constructor(host: SandboxHost, dir: string) {
    this.#host = host;
    this.#dir = dir;
  }

  static async open(): Promise<Stage> {
    const dir = await mkdtemp(join(tmpdir(), "lanista-stage-"));
    return new Stage(await SandboxHost.open({ runDir: join(dir, "run") }), dir);
  }

  /** A folder of the test's own. */
  get dir(): string {
    return this.#dir;
  }

  agent(name: string, script = FIRST, spec: Partial<SandboxSpec> = {}): Contender {
    const argv = ["/usr/bin/python3", "-S", "-c", `${PRELUDE}\n${script}`];
    return {
      name,
      digest: createHash("sha256").update(script).digest("hex"),
      entry: "agent.py",
      open: () => this.#host.start({ tier: "none", argv, ...spec }),
    };
  }

  async close(): Promise<void> {
    await this.#host.close();
    await rm(this.#dir, { recursive: true, force: true });
  }
}
