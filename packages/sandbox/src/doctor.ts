/** What this host can do, found out by doing it: every runtime is tried with a real box. */
import { cgroupLayout } from "./cgroup-layout.ts";
import { connectEngine, engineAddress } from "./docker/engine.ts";
import { unenforceable } from "./enforceable.ts";
import { SandboxHost } from "./host.ts";
import { findNode, findPython, type Interpreter } from "./interpreters.ts";
import { removeAllLeftovers } from "./leftovers.ts";
import { runFolder } from "./owners.ts";
import { refuseUnreadable } from "./readable.ts";
import { findExecutable, kernelRelease, type OciRuntime, packageOf, runtimesOf, versionOf } from "./runtimes.ts";
import type { GiveUp, Runtime, Tier } from "./types.ts";

export interface RuntimeReport {
  readonly tier: Tier;
  readonly runtime: Runtime;
  /** The executable, or where the engine is asked. */
  readonly path: string | null;
  readonly version: string | null;
  /** Whether a box was started and ended as it should. */
  readonly works: boolean;
  /** Why not, and what to do; null where it works. */
  readonly problem: string | null;
  /** What would be refused unless given up: name and reason. */
  readonly unenforceable: readonly { readonly name: string; readonly why: string }[];
  /** Milliseconds from the call to the end of a box that runs /bin/true. */
  readonly roundTripMs: number | null;
}

export interface InterpreterReport {
  readonly path: string;
  readonly version: string;
  /** Why agents cannot be played with it, and what to do; null where they can. */
  readonly problem: string | null;
}

export interface HostReport {
  readonly kernel: string;
  readonly arch: string;
  readonly rootless: boolean;
  readonly cgroup: string;
  readonly runDir: string;
  readonly tools: readonly { readonly name: string; readonly path: string | null; readonly install: string }[];
  readonly runtimes: readonly RuntimeReport[];
  readonly python: InterpreterReport | null;
  readonly node: InterpreterReport;
  /** Whether a match in the default tier can be played here with every limit enforced. */
  readonly ready: boolean;
}

async function tryRuntime(
  host: SandboxHost,
  tier: Tier,
  runtime: OciRuntime,
  rootless: boolean,
): Promise<RuntimeReport> {
  const path = findExecutable(runtime) ?? null;
  const reasons = unenforceable(runtime, cgroupLayout(), rootless);
  const base = { tier, runtime, path, version: null, works: false, unenforceable: listed(reasons), roundTripMs: null };
  if (path === null) return { ...base, problem: `not installed; on Debian: apt-get install ${packageOf[runtime]}` };
  try {
    return await tryBox(host, { ...base, version: await versionOf(runtime, path) }, [...reasons.keys()]);
  } catch (error) {
    return { ...base, problem: (error as Error).message };
  }
}

/** An engine that is not there is no problem of the host's: most hosts need none. */
async function tryEngine(host: SandboxHost): Promise<RuntimeReport> {
  const path = engineAddress() ?? null;
  const base = { tier: "docker", runtime: "docker", path, version: null, works: false, roundTripMs: null } as const;
  const problem = `no container engine; on Debian: apt-get install ${packageOf.dockerd}, or set DOCKER_HOST`;
  if (path === null) return { ...base, problem, unenforceable: [] };
  try {
    const { version, unenforceable: reasons } = await connectEngine();
    return await tryBox(host, { ...base, version, unenforceable: listed(reasons) }, [...reasons.keys()]);
  } catch (error) {
    return { ...base, unenforceable: [], problem: (error as Error).message };
  }
}

function tryInterpreter({ path, version, mounts }: Interpreter): InterpreterReport {
  try {
    refuseUnreadable([path], mounts);
    return { path, version, problem: null };
  } catch (error) {
    return { path, version, problem: (error as Error).message };
  }
}

const listed = (reasons: ReadonlyMap<GiveUp, string>): RuntimeReport["unenforceable"] =>
  [...reasons].map(([name, why]) => ({ name, why }));

async function tryBox(
  host: SandboxHost,
  base: Omit<RuntimeReport, "problem">,
  giveUp: readonly GiveUp[],
): Promise<RuntimeReport> {
  const { tier, runtime } = base;
  try {
    const began = performance.now();
    const box = await host.start({
      tier,
      runtime,
      argv: ["/bin/sh", "-c", "exit 42"],
      giveUp,
      limits: { wallSeconds: 20 },
    });
    let words = "";
    box.stderr.on("data", (chunk: Buffer) => {
      if (words.length < 1000) words += chunk.toString();
    });
    box.stdout.resume();
    box.stdin.end();
    const { cause } = await box.ended;
    const works = cause.kind === "exit" && cause.code === 42;
    return {
      ...base,
      works,
      problem: works ? null : `a trial box ended with ${JSON.stringify(cause)} ${words.trim()}`.trim(),
      roundTripMs: works ? Math.round((performance.now() - began) * 10) / 10 : null,
    };
  } catch (error) {
    return { ...base, problem: (error as Error).message };
  }
}

/** Starts one short box a runtime; takes about a second. Throws SandboxError only where no place can be made at all. */
export async function examineHost(): Promise<HostReport> {
  const layout = cgroupLayout();
  const rootless = process.getuid?.() !== 0;
  const host = await SandboxHost.open();
  const runtimes: RuntimeReport[] = [];
  try {
    for (const [tier, names] of Object.entries(runtimesOf) as [Tier, readonly OciRuntime[]][])
      for (const name of names) runtimes.push(await tryRuntime(host, tier, name, rootless));
    runtimes.push(await tryEngine(host));
  } finally {
    await host.close();
  }
  const tools = ["setpriv", "unshare", "umoci", ...(rootless ? ["newuidmap"] : [])].map((name) => ({
    name,
    path: findExecutable(name) ?? null,
    install: packageOf[name] ?? name,
  }));
  const python = await findPython().then(tryInterpreter, () => null);
  return {
    kernel: kernelRelease(),
    arch: process.arch,
    rootless,
    cgroup: layout.mode,
    runDir: runFolder(),
    tools,
    runtimes,
    python,
    node: tryInterpreter(findNode()),
    ready: runtimes.some((one) => one.tier === "container" && one.works && one.unenforceable.length === 0),
  };
}

/** Removes what killed host processes left behind, and says what it removed. */
export function cleanHost(): Promise<string[]> {
  return removeAllLeftovers(runFolder(), cgroupLayout(), true);
}
