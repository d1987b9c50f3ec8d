/** RabbitMQ for a comparison: Debian's, in a folder of its own, on the loopback. */
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** Not the one in /usr/sbin: that changes the user, and the folders with it. */
const HOME = "/usr/lib/rabbitmq/bin";
const START_MS = 60_000;

export interface RabbitMq {
  readonly url: string;
  stop(): Promise<void>;
}

export const hasRabbitMq = (): boolean => existsSync(join(HOME, "rabbitmq-server"));

export async function startRabbitMq(folder: string): Promise<RabbitMq> {
  const [port, distribution, mapper] = await Promise.all([freePort(), freePort(), freePort()]);
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    RABBITMQ_NODENAME: `bench-${process.pid}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: "127.0.0.1",
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(distribution),
    RABBITMQ_MNESIA_BASE: join(folder, "mnesia"),
    RABBITMQ_LOG_BASE: join(folder, "log"),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, "plugins"),
    RABBITMQ_CONFIG_FILE: join(folder, "none"),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "-kernel inet_dist_use_interface {127,0,0,1}",
    ERL_EPMD_ADDRESS: "127.0.0.1",
    ERL_EPMD_PORT: String(mapper),
  };
  const child = spawn(join(HOME, "rabbitmq-server"), [], { env, stdio: "ignore", detached: true });
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const stop = async (): Promise<void> => {
    spawnSync(join(HOME, "rabbitmqctl"), ["stop"], { env, timeout: 30_000, stdio: "ignore" });
    await Promise.race([gone, sleep(10_000)]);
    if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    // It outlives the node it was started for.
    spawnSync("epmd", ["-kill"], { env, stdio: "ignore" });
  };
  const until = performance.now() + START_MS;
  while (
    spawnSync(join(HOME, "rabbitmqctl"), ["await_startup"], { env, timeout: 30_000, stdio: "ignore" }).status !== 0
  ) {
    if (performance.now() > until || child.exitCode !== null) {
      await stop();
      throw new Error(`RabbitMQ did not start: see ${join(folder, "log")}`);
    }
    await sleep(500);
  }
  return { url: `amqp://guest:guest@127.0.0.1:${port}//`, stop };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}
