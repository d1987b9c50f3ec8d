/** A worker whose packages come from an index that wants credentials: by its settings, which nobody else gets to see. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TaskVersion_State as Checked } from "@lanista/api/gen/lanista/v1/tasks_pb";
import { type IndexServer, startIndex } from "@lanista/sandbox/testing/index-server";
import { makeWheel, uvForTests } from "@lanista/sandbox/testing/packages";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CourseWorld, DROWNS, manifest, walker, zipOf } from "./support/course-world.ts";
import { killed, WorkerWorld } from "./support/worker-world.ts";

const MAIN = join(import.meta.dirname, "../../packages/cli/src/main.ts");
const PASSWORD = "hunter2";
const uv = await uvForTests();

describe.skipIf(uv === null)("a worker with settings of packages", () => {
  let world: WorkerWorld;
  let index: IndexServer;
  const at = (name: string): string => join(world.dir, name);
  beforeAll(async () => {
    world = await WorkerWorld.open();
    makeWheel(at("wheels"), "plain", "1.0", { "plain.py": "NAME = 'one'\n" });
    makeWheel(at("wheels"), "plain", "2.0", { "plain.py": "NAME = 'two'\n" });
    index = await startIndex(at("wheels"), { login: `course:${PASSWORD}` });
    mkdirSync(at("cwd"));
    writeFileSync(at("cwd/versions.txt"), "plain<2\n");
    writeFileSync(at("token"), world.token);
  }, 60_000);
  afterAll(async () => {
    await world.close();
    await index.close();
  });

  function worker(file: string) {
    writeFileSync(at("cwd/lanista.yaml"), file);
    const child = spawn(
      process.execPath,
      ["--conditions=lanista-source", MAIN, "worker", "--server", world.url, "--token-file", at("token")],
      {
        cwd: at("cwd"),
        stdio: ["ignore", "ignore", "pipe"],
        env: { PATH: process.env.PATH, HOME: at("cwd"), LANISTA_LOG_LEVEL: "trace" },
      },
    );
    world.release(() => killed(child));
    let said = "";
    child.stderr.on("data", (chunk) => (said += String(chunk)));
    return { child, said: () => said };
  }

  test("builds what a task asks for from its index, under its constraints, into its folder", async () => {
    const url = index.url;
    expect(url).toContain(PASSWORD);
    const packages = { indexUrl: url, constraints: "versions.txt", uv, cacheDir: "kept" };
    const { child, said } = worker(`worker: ${JSON.stringify({ packages })}`);
    const course = await CourseWorld.open(world);
    const { tasks } = course.lecturer.client;
    const { task } = await tasks.createTask({ space: course.space, slug: "plain", title: "Plain" });
    const reference = walker([1, 1, 2, 1, 2, 2], "import plain\nassert plain.NAME == 'one', plain.NAME");
    const bundle = zipOf({
      "task.yaml": `${manifest()}requirements: { agent: requirements.txt }\n`,
      "requirements.txt": "plain\n",
      "reference.py": reference,
      "cheat.py": DROWNS,
    });
    const version = await course.version(task!.id, bundle);
    expect(version, said()).toMatchObject({ state: Checked.READY, findings: [] });
    expect(index.asked).toContain("/simple/plain/");
    expect(existsSync(at("cwd/kept/packages/sets"))).toBe(true);
    // Neither in its log nor where everybody on the host can read.
    expect(said()).not.toContain(PASSWORD);
    expect(readFileSync(`/proc/${child.pid}/cmdline`, "utf8")).not.toContain(PASSWORD);
    expect(readFileSync(`/proc/${child.pid}/environ`, "utf8")).not.toContain(PASSWORD);
  }, 120_000);

  test("does not start where they cannot be honoured", async () => {
    for (const [packages, why] of [
      [{ findLinks: ["nowhere"] }, "there is no folder"],
      [{ constraints: "none.txt" }, "cannot be read"],
      [{ extraIndexUrls: [`ftp://course:${PASSWORD}@example.org/simple/`] }, "has an address with https"],
      [{ indexUlr: "https://example.org/simple/" }, "worker.packages.indexUlr is no setting"],
    ] as const) {
      const { child, said } = worker(`worker: ${JSON.stringify({ packages })}`);
      const [code] = await once(child, "exit");
      expect(code).not.toBe(0);
      expect(said()).toContain(why);
      expect(said()).not.toContain(PASSWORD);
    }
  }, 90_000);
});
