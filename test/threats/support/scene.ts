/** The host as the hostile programs wish to find it: secrets lying about, services listening, a process to spy on. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { accessSync, chmodSync, constants, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { homedir, networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import type { Sandbox } from "@lanista/sandbox/types";
import { collect, type Kind, ROOT, type Stage, start } from "./boxes.ts";

export interface Scene {
  /** For the programs, as their first argument. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The folder with the setuid program, to be mounted at /setuid. */
  readonly setuidDir: string;
  /** How many connections and datagrams reached the host's services. */
  reached(): number;
  close(): Promise<void>;
}

function writable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function listen(server: Server, where: number | string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    if (typeof where === "number") server.listen(where, "0.0.0.0", resolve);
    else server.listen(where, resolve);
  });
}

export async function openScene(stage: Stage, { runtime, image }: Kind): Promise<Scene> {
  const canary = `canary-${randomBytes(12).toString("hex")}`;
  const folders: string[] = [];
  const plant = (parent: string): string => {
    mkdirSync(parent, { recursive: true });
    const folder = mkdtempSync(join(parent, "lanista-secret-"));
    folders.push(folder);
    writeFileSync(join(folder, "secret"), canary);
    // Anybody may read it: only the sandbox's walls stand before it, not its owner.
    chmodSync(folder, 0o755);
    return folder;
  };
  let reached = 0;
  const hangUp = (socket: { destroy(): unknown }): void => {
    reached++;
    socket.destroy();
  };
  const tcp = createServer(hangUp);
  await listen(tcp, 0);
  const temporary = plant(tmpdir());
  const path = join(temporary, "service");
  const abstract = `lanista-${canary.slice(0, 16)}`;
  const unix = [createServer(hangUp), createServer(hangUp)];
  await listen(unix[0]!, path);
  chmodSync(path, 0o777);
  await listen(unix[1]!, `\0${abstract}`);
  const udp: Socket = createSocket("udp4");
  udp.on("message", (_message, from) => {
    reached++;
    udp.send("here", from.port, from.address);
  });
  await new Promise<void>((resolve) => udp.bind(0, "0.0.0.0", resolve));

  const setuidDir = mkdtempSync(join(tmpdir(), "lanista-setuid-"));
  folders.push(setuidDir);
  chmodSync(setuidDir, 0o755);
  copyFileSync("/usr/bin/id", join(setuidDir, "id"));
  chmodSync(join(setuidDir, "id"), 0o4755);

  // In this process, which is the host of the boxes, and in another.
  process.env.LANISTA_CANARY = canary;
  const victim: ChildProcess = spawn("sleep", ["600"], {
    env: { ...process.env, LANISTA_CANARY: canary },
    stdio: "ignore",
  });
  const other: Sandbox = await start(stage, { runtime, image, file: "exhaust.py", args: ["sleep", "600"] });
  void collect(other.stdout);
  void collect(other.stderr);
  const otherJob = join(other.agentDir, "..");
  writeFileSync(join(otherJob, "secret"), canary);
  writeFileSync(join(stage.runDir, "secret"), canary);

  const addresses = Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? []).filter((one) => one.family === "IPv4" && !one.internal).map((one) => one.address),
  );
  return {
    config: {
      canary,
      marker: stage.marker,
      host_pid: victim.pid,
      home: plant(homedir()),
      project: plant(writable(ROOT) ? join(ROOT, ".cache") : tmpdir()),
      other_job: otherJob,
      run_folder: stage.runDir,
      temporary,
      sockets: { path, abstract },
      addresses,
      tcp: (tcp.address() as { port: number }).port,
      udp: udp.address().port,
      setuid: "/setuid/id",
      shown: [...stage.python.mounts.map((mount) => mount.target)],
    },
    setuidDir,
    reached: () => reached,
    async close() {
      delete process.env.LANISTA_CANARY;
      victim.kill("SIGKILL");
      other.kill("the scene is over");
      await other.ended;
      udp.close();
      for (const server of [tcp, ...unix]) server.close();
      for (const folder of folders) rmSync(folder, { recursive: true, force: true });
    },
  };
}
