/** A port for who cannot be given port 0: a program that says nothing of it, or that is started again. */
import { readFileSync } from "node:fs";
import { createServer } from "node:net";

/** Below those that the system gives out by itself, so that nobody takes it before, or between two starts, by chance. */
export async function freePort(): Promise<number> {
  const [first] = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").trim().split(/\s+/).map(Number);
  const below = Math.max(first ?? 0, 12_000);
  for (let tries = 0; tries < 100; tries++) {
    const port = 10_000 + Math.floor(Math.random() * (below - 10_000));
    if (await isFree(port)) return port;
  }
  throw new Error("no port is free");
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const free = await new Promise<boolean>((resolve) => {
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => resolve(true));
  });
  if (free) await new Promise((resolve) => server.close(resolve));
  return free;
}
