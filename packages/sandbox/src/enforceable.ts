/** What this host can hold a box to, and what it cannot and why. The rule is: fail closed. */
import { existsSync, readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import type { CgroupLayout, Controller } from "./cgroup-layout.ts";
import { SandboxError } from "./errors.ts";
import { limitNames } from "./limits.ts";
import { findExecutable } from "./runtimes.ts";
import type { GiveUp, Runtime } from "./types.ts";

/** Name → why it cannot be enforced, and what to do. What is not in the map can. */
export type Unenforceable = ReadonlyMap<GiveUp, string>;

const CONTROLLERS_OF: Readonly<Partial<Record<GiveUp, readonly Controller[]>>> = {
  cpus: ["cpu"],
  cpuSeconds: ["cpuacct"],
  memoryBytes: ["memory"],
  pids: ["pids"],
};

/** Swap cannot be switched off for a group where v1 does not count it. */
function swapUncounted(layout: CgroupLayout): boolean {
  const memory = layout.parents.get("memory");
  if (memory === undefined || layout.mode === "v2") return false;
  const swap = /^SwapTotal:\s+(\d+)/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1];
  return swap !== "0" && !existsSync(join(memory, "memory.memsw.limit_in_bytes"));
}

/** User ids of the user's own, to be handed out one a box, need newuidmap and a range in /etc/subuid and /etc/subgid. */
function noSubordinateIds(): string | undefined {
  const { username, uid } = userInfo();
  if (findExecutable("newuidmap") === undefined) return "newuidmap is not installed; on Debian: apt-get install uidmap";
  for (const file of ["/etc/subuid", "/etc/subgid"]) {
    const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
    const ours = lines.some((line) => {
      const [name, , count] = line.split(":");
      return (name === username || name === String(uid)) && Number(count) >= 65536;
    });
    if (!ours)
      return `${file} has no range of 65536 ids for ${username}; as root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${username}`;
  }
  return undefined;
}

/** The tier `docker` is not asked about here: what it can hold a box to, its engine says (docker/engine.ts). */
export function unenforceable(runtime: Runtime, layout: CgroupLayout, rootless: boolean): Unenforceable {
  const reasons = new Map<GiveUp, string>();
  if (runtime === "docker") return reasons;
  if (runtime === "none") {
    for (const name of limitNames)
      if (name !== "wallSeconds" && name !== "outputBytes") reasons.set(name, "the tier none has no walls");
    reasons.set("uid", "the tier none has no walls");
    return reasons;
  }
  for (const [name, controllers] of Object.entries(CONTROLLERS_OF) as [GiveUp, readonly Controller[]][])
    for (const controller of controllers) {
      const why = layout.missing.get(controller);
      if (why !== undefined) reasons.set(name, why);
    }
  if (!reasons.has("memoryBytes") && swapUncounted(layout))
    reasons.set(
      "memoryBytes",
      "this host swaps, and its kernel does not count swap for a cgroup; boot with swapaccount=1, or switch swap off",
    );
  if (runtime === "runsc")
    reasons.set(
      "pids",
      "gVisor keeps processes and threads inside its own kernel, where this limit does not reach; a bound on the host's tasks remains",
    );
  if (rootless) {
    const why = noSubordinateIds();
    if (why !== undefined) reasons.set("uid", why);
  }
  return reasons;
}

/** The hard limit of this process's own open files; a runtime cannot give a box more than that. */
export function mostOpenFiles(): number {
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
  return hard === undefined || hard === "unlimited" ? Number.POSITIVE_INFINITY : Number(hard);
}

/** Throws SandboxError `refused`, naming everything that is asked for, cannot be enforced and was not given up. */
export function refuseUnenforceable(reasons: Unenforceable, giveUp: readonly GiveUp[]): void {
  const refused = [...reasons].filter(([name]) => !giveUp.includes(name));
  if (refused.length === 0) return;
  const lines = refused.map(([name, why]) => `  ${name}: ${why}`);
  throw new SandboxError(
    "refused",
    `this host cannot enforce what was asked for:\n${lines.join("\n")}\nMend that, or give these up by name (${refused.map(([name]) => name).join(",")}).`,
  );
}
