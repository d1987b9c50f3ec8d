/** RabbitMQ for tests and comparisons: Debian's, in a folder of its own, on the loopback. */
import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./free-port.ts";

/** Not the one in /usr/sbin: that changes the user, and the folders with it. */
const HOME = "/usr/lib/rabbitmq/bin";
const START_MS = 60_000;

export interface RabbitMq {
  readonly url: string;
  /** SIGKILL, and a new node over the same folder. */
  crash(): Promise<void>;
  /** As its operator would; `awayMs`: how long it is not there. */
  restart(awayMs?: number): Promise<void>;
  stop(): Promise<void>;
}

export const hasRabbitMq = (): boolean => existsSync(join(HOME, "rabbitmq-server"));

/** `settings`: of the application `rabbit`, as `{ consumer_timeout: 5000 }`. */
export async function startRabbitMq(
  folder: string,
  settings: Readonly<Record<string, number>> = {},
): Promise<RabbitMq> {
  mkdirSync(folder, { recursive: true });
  const [port, distribution, mapper] = await Promise.all([freePort(), freePort(), freePort()]);
  const erlang = Object.entries(settings).map(([name, value]) => `-rabbit ${name} ${value}`);
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    RABBITMQ_NODENAME: `lanista-${process.pid}-${port}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: "127.0.0.1",
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(distribution),
    RABBITMQ_MNESIA_BASE: join(folder, "mnesia"),
    RABBITMQ_LOG_BASE: join(folder, "log"),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, "plugins"),
    RABBITMQ_CONFIG_FILE: join(folder, "none"),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: ["-kernel inet_dist_use_interface {127,0,0,1}", ...erlang].join(" "),
    ERL_EPMD_ADDRESS: "127.0.0.1",
    ERL_EPMD_PORT: String(mapper),
  };
  const control = (...words: string[]): Promise<boolean> =>
    new Promise((resolve) =>
      execFile(join(HOME, "rabbitmqctl"), words, { env, timeout: 30_000 }, (error) => resolve(error === null)),
    );
  let node = start();

  function start(): { readonly child: ChildProcess; readonly gone: Promise<void> } {
    const child = spawn(join(HOME, "rabbitmq-server"), [], { env, stdio: "ignore", detached: true });
    return { child, gone: new Promise((resolve) => child.once("exit", () => resolve())) };
  }
  async function end(kindly: boolean): Promise<void> {
    const { child, gone } = node;
    if (kindly) {
      await control("stop");
      await Promise.race([gone, sleep(10_000)]);
    }
    if (child.exitCode === null && child.signalCode === null && child.pid !== undefined)
      process.kill(-child.pid, "SIGKILL");
    await gone;
  }
  async function stop(): Promise<void> {
    await end(true);
    // It outlives the node it was started for.
    spawnSync("epmd", ["-kill"], { env, stdio: "ignore" });
  }
  async function ready(): Promise<void> {
    const until = performance.now() + START_MS;
    while (!(await control("await_startup"))) {
      if (performance.now() > until || node.child.exitCode !== null) {
        await stop();
        throw new Error(`RabbitMQ did not start: see ${join(folder, "log")}`);
      }
      await sleep(500);
    }
  }
  async function again(kindly: boolean, awayMs: number): Promise<void> {
    await end(kindly);
    await sleep(awayMs);
    node = start();
    await ready();
  }
  await ready();
  return {
    url: `amqp://guest:guest@127.0.0.1:${port}//`,
    crash: () => again(false, 0),
    restart: (awayMs = 0) => again(true, awayMs),
    stop,
  };
}
