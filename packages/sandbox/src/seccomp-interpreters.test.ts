/** Real interpreters, behind the filter, doing what agents' programs and their libraries do. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cgroupLayout } from "./cgroup-layout.ts";
import { unenforceable } from "./enforceable.ts";
import { SandboxHost } from "./host.ts";
import { findNode, findPython, type Interpreter } from "./interpreters.ts";
import { findExecutable } from "./runtimes.ts";
import type { ReadOnlyMount } from "./types.ts";

const PYTHON = `
import asyncio, concurrent.futures, multiprocessing, os, random, resource, shutil, socket, subprocess, sys, tempfile, threading, time

def put(queue):
    queue.put(os.getpid())

def main():
    threads = [threading.Thread(target=time.sleep, args=(0.01,)) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert subprocess.run(["echo", "x"], stdout=subprocess.PIPE).stdout == b"x\\n"
    for method in ("fork", "spawn", "forkserver"):
        context = multiprocessing.get_context(method)
        queue = context.Queue()
        process = context.Process(target=put, args=(queue,))
        process.start()
        assert queue.get(timeout=60) == process.pid
        process.join()
    from multiprocessing import shared_memory
    memory = shared_memory.SharedMemory(create=True, size=1000)
    memory.close()
    memory.unlink()
    async def talk():
        process = await asyncio.create_subprocess_exec("echo", "y", stdout=asyncio.subprocess.PIPE)
        return (await process.communicate())[0]
    assert asyncio.run(talk()) == b"y\\n"
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        assert list(pool.map(abs, [-1, -2])) == [1, 2]
    folder = tempfile.mkdtemp()
    open(folder + "/a", "w").write("x")
    shutil.copy2(folder + "/a", folder + "/b")
    shutil.copytree(folder, folder + "2")
    shutil.rmtree(folder)
    os.mkfifo("/tmp/fifo")
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    a, b = socket.socketpair()
    random.SystemRandom().random()
    try:
        import numpy
        assert (numpy.eye(200) @ numpy.eye(200)).trace() == 200
    except ImportError:
        pass
    print("done")

if __name__ == "__main__":
    main()
`;

const NODE = `
import { exec, spawnSync } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import net from "node:net";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import zlib from "node:zlib";
await new Promise((done, failed) => new Worker("setTimeout(() => {}, 5)", { eval: true }).on("exit", done).on("error", failed));
if (spawnSync("echo", ["x"]).stdout.toString() !== "x\\n") throw new Error("spawn");
await promisify(exec)("echo y");
await fs.promises.writeFile("/tmp/a", "x");
await fs.promises.cp("/tmp/a", "/tmp/b");
const server = net.createServer((socket) => socket.end("hi")).listen("/tmp/s.sock");
await new Promise((done) => net.connect("/tmp/s.sock").on("data", done));
server.close();
await promisify(crypto.pbkdf2)("a", "b", 10, 8, "sha256");
await promisify(zlib.gzip)("x");
console.log("done");
`;

const C = `
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
static void *same(void *x) { return x; }
int main(void) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, same, NULL) || pthread_join(thread, NULL) || system("exit 0")) return 1;
  return puts("done") < 0;
}
`;

const layout = cgroupLayout();
const rootless = process.getuid?.() !== 0;
const folder = mkdtempSync(join(tmpdir(), "lanista-interpreters-"));
const programs: ReadOnlyMount = { source: join(folder, "programs"), target: "/programs" };
let host: SandboxHost;

beforeAll(async () => {
  host = await SandboxHost.open({ runDir: join(folder, "run") });
  mkdirSync(programs.source);
  writeFileSync(join(programs.source, "everyday.py"), PYTHON);
  writeFileSync(join(programs.source, "everyday.mjs"), NODE);
});
afterAll(async () => {
  await host.close();
  rmSync(folder, { recursive: true });
});

/** The Pythons of this host that are new enough, pyenv's included, each once. */
async function pythons(): Promise<Interpreter[]> {
  const versions = join(process.env.PYENV_ROOT ?? join(homedir(), ".pyenv"), "versions");
  const names = ["/usr/bin/python3", "python3"];
  if (existsSync(versions)) names.push(...readdirSync(versions).map((name) => join(versions, name, "bin/python3")));
  const found = new Map<string, Interpreter>();
  for (const name of names) {
    const python = await findPython(name).catch(() => undefined);
    if (python !== undefined) found.set(python.path, python);
  }
  return [...found.values()];
}
const found = await pythons();

describe.each(["crun", "runc"] as const)("%s runs", (runtime) => {
  const present = findExecutable(runtime) !== undefined;

  async function run(
    argv: readonly string[],
    mounts: readonly ReadOnlyMount[],
  ): Promise<{ said: string; cause: unknown }> {
    const box = await host.start({
      tier: "container",
      runtime,
      argv,
      mounts: [...mounts, programs],
      limits: { wallSeconds: 120, cpuSeconds: 120, memoryBytes: 1024 ** 3, pids: 128, openFiles: 256 },
      giveUp: [...unenforceable(runtime, layout, rootless).keys()],
    });
    box.stdin.end();
    let said = "";
    for (const stream of [box.stdout, box.stderr])
      stream.on("data", (chunk: Buffer) => {
        said += chunk.toString();
      });
    const { cause } = await box.ended;
    return { said, cause };
  }
  const done = { said: "done\n", cause: { kind: "exit", code: 0 } };

  test.skipIf(!present).each(found)("Python $version", async ({ path, mounts }) => {
    expect(await run([path, "/programs/everyday.py"], mounts)).toEqual(done);
  });

  test.skipIf(!present)(`Node ${process.versions.node}`, async () => {
    const { path, mounts } = findNode();
    expect(await run([path, "/programs/everyday.mjs"], mounts)).toEqual(done);
  });

  test.skipIf(!present || findExecutable("gcc") === undefined)("a static program in C", async () => {
    writeFileSync(join(folder, "everyday.c"), C);
    execFileSync("gcc", ["-static", "-pthread", "-o", join(programs.source, "everyday"), join(folder, "everyday.c")]);
    expect(await run(["/programs/everyday"], [])).toEqual(done);
  });
});
