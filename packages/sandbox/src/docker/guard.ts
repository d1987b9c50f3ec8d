/**
 * What ends a host's containers when the host process is killed: they are the engine's children, not ours, so no signal of
 * the kernel's reaches them. A small process in a session of its own holds the end of a pipe whose other end is ours; when
 * that closes, by whatever death, it removes every container with our label, and goes on looking for a while, since the
 * engine may still be at work on our last request.
 *
 * If it is killed together with us, the containers stay until the next host opens there (leftovers.ts).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import type { Socket } from "node:net";
import type Docker from "dockerode";
import { SandboxError } from "../errors.ts";
import { OWNER_LABEL } from "./container.ts";

/** How long the guard keeps looking for containers after the host's death, and how often. */
const LOOKS = 20;
const LOOK_MS = 100;

interface Orders {
  readonly label: string;
  readonly looks: number;
  readonly everyMs: number;
}

/** Runs in a process of its own, from its text: it may use nothing but its arguments and what is global. */
async function guard(
  engine: Docker,
  orders: Orders,
  input: NodeJS.ReadStream,
  output: NodeJS.WriteStream,
): Promise<void> {
  const left = () => engine.listContainers({ all: true, filters: { label: [orders.label] } });
  await left();
  output.write("ready\n");
  await new Promise((resolve) => {
    input.once("end", resolve);
    input.once("close", resolve);
    input.once("error", resolve);
    input.resume();
  });
  for (let look = 0; look < orders.looks; look++) {
    try {
      const found = await left();
      await Promise.all(
        found.map(({ Id }) =>
          engine
            .getContainer(Id)
            .remove({ force: true, v: true })
            .catch(() => undefined),
        ),
      );
      const { Volumes } = await engine.listVolumes({ filters: { label: [orders.label] } });
      for (const { Name } of Volumes ?? [])
        await engine
          .getVolume(Name)
          .remove()
          .catch(() => undefined);
    } catch {
      // The engine does not answer now.
    }
    await new Promise((resolve) => setTimeout(resolve, orders.everyMs));
  }
}

export class Guard {
  readonly #child: ChildProcess;
  readonly #gone: Promise<void>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#gone = new Promise((resolve) => child.once("exit", () => resolve()));
  }

  /** Resolves when it stands and has reached the engine. Throws SandboxError `fault` if it cannot. */
  static async start(owner: string): Promise<Guard> {
    const module = createRequire(import.meta.url).resolve("dockerode");
    const orders: Orders = { label: `${OWNER_LABEL}=${owner}`, looks: LOOKS, everyMs: LOOK_MS };
    const text = `const [module, orders] = process.argv.slice(1); const Docker = require(module);
      (${guard.toString()})(new Docker(), JSON.parse(orders), process.stdin, process.stdout)
        .then(() => process.exit(0), (error) => { console.error(String(error.message)); process.exit(1); });`;
    const child = spawn(process.execPath, ["-e", text, module, JSON.stringify(orders)], {
      cwd: "/",
      // A session of its own: what is sent to our process group, as a terminal does, is not for it.
      detached: true,
      stdio: ["pipe", "pipe", "pipe"],
    });
    const made = new Guard(child);
    await new Promise<void>((resolve, reject) => {
      let words = "";
      child.stderr.on("data", (piece: Buffer) => {
        words = (words + piece.toString()).slice(-1000);
      });
      child.stdout.once("data", () => resolve());
      child.stdin.on("error", () => {});
      const failed = (): void =>
        reject(new SandboxError("fault", `the guard of the containers did not start: ${words}`));
      child.once("error", failed);
      child.once("exit", failed);
    });
    child.unref();
    for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as Socket).unref();
    return made;
  }

  /** Whether it still stands: without it nothing may be started. */
  get stands(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** For when no container is left. */
  async close(): Promise<void> {
    this.#child.kill("SIGKILL");
    this.#child.ref();
    if (this.stands) await this.#gone;
  }
}
