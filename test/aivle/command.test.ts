/** `lanista aivle-worker` itself, with real bundles in real sandboxes, and its self-test. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { buffer, text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { hasRabbitMq, type RabbitMq, startRabbitMq } from "@lanista/server/testing/rabbitmq";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ZipFile } from "yazl";
import { LANISTA } from "../cli/spawn.ts";
import { pythonPackages } from "../server/python.ts";
import { CelerySite } from "./support/celery.ts";
import { StandInSite } from "./support/site.ts";

const venv = pythonPackages(join(import.meta.dirname, "requirements.txt"));
const here = venv !== null && (hasRabbitMq() || process.env.CI !== undefined);

const GRADER = {
  "bootstrap.sh": "#!/bin/bash\npython grader.py\n",
  "requirements.txt": "",
  "grader.py": [
    "import pickle",
    "from agent import create_agent",
    "value = create_agent().step(20)",
    'print(pickle.dumps({"suite_id": "s", "results": [{"case_id": 0, "result": {"name": "n", "detail": "", "value": value, "error": None}}]}))',
  ].join("\n"),
};
const agent = (body: string) => ({
  "agent.py": `class Agent:\n    def step(self, state):\n        ${body}\n\n\ndef create_agent(**kwargs):\n    return Agent()\n`,
});

/** Nobody else sleeps for so long: the processes that do are the agent's. */
const SLEEP = `sleep ${1e7 + process.pid}`;
function sleepers(): number {
  const lines = readdirSync("/proc").map((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8");
    } catch {
      return "";
    }
  });
  return lines.filter((words) => words === `${SLEEP.replace(" ", "\0")}\0`).length;
}

async function zipOf(files: Readonly<Record<string, string>>): Promise<Buffer<ArrayBuffer>> {
  const zip = new ZipFile();
  for (const [name, content] of Object.entries(files)) zip.addBuffer(Buffer.from(content), name);
  zip.end();
  return Buffer.from(await buffer(zip.outputStream));
}

describe.runIf(here)("lanista aivle-worker", () => {
  const dir = mkdtempSync(join(tmpdir(), "lanista-aivle-command-"));
  const site = new StandInSite();
  let broker: RabbitMq;
  let celery: CelerySite;

  beforeAll(async () => {
    broker = await startRabbitMq(join(dir, "rabbitmq"));
    celery = new CelerySite(venv!, broker.url);
    const own = { API_BASE_URL: await site.start(), BROKER_URI: broker.url, ACCESS_TOKEN: site.token };
    const env = { ...own, LANISTA_AIVLE_JOURNAL_DIR: join(dir, "journal"), SECRET_KEY: "the site's own" };
    writeFileSync(
      join(dir, ".env"),
      Object.entries(env)
        .map(([name, value]) => `${name}=${value}\n`)
        .join(""),
    );
  });
  afterAll(async () => {
    celery?.stop();
    await site.stop();
    await broker?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  function lanista(...words: string[]): ChildProcess {
    return spawn(LANISTA, ["aivle-worker", ...words], { cwd: dir, stdio: ["ignore", "pipe", "pipe"] });
  }
  async function ended(
    child: ChildProcess,
  ): Promise<{ readonly code: unknown; readonly out: string; readonly err: string }> {
    const code = new Promise((resolve) => child.once("exit", resolve));
    const [out, err] = await Promise.all([text(child.stdout!), text(child.stderr!)]);
    return { code: await code, out, err };
  }

  it("grades real bundles in sandboxes, and drains on SIGTERM", async () => {
    site.zips.grader = await zipOf(GRADER);
    site.zips.agent = await zipOf(agent("return state * 2"));
    const child = lanista("--concurrency", "2", "--zmq-port", "15921");
    const over = ended(child);
    const good = site.add(1);
    good.taskId = await celery.publish(1);
    await expect.poll(() => good.status, { timeout: 60_000 }).toBe("D");
    // 40, as pickle writes it.
    expect(JSON.parse(good.stored[0]!)).toMatchObject({
      ok: true,
      error: null,
      result: expect.stringContaining("value\\x94K("),
    });
    site.zips.agent = await zipOf(agent("print(b'forged'); raise ValueError('no')"));
    const bad = site.add(2);
    bad.taskId = await celery.publish(2);
    await expect.poll(() => bad.status, { timeout: 60_000 }).toBe("E");
    expect(JSON.parse(bad.stored[0]!)).toMatchObject({ ok: false, error: "RE", result: null });
    site.zips.agent = Buffer.from("no zip at all");
    const none = site.add(3);
    none.taskId = await celery.publish(3);
    await expect.poll(() => none.status, { timeout: 60_000 }).toBe("E");
    expect(JSON.parse(none.stored[0]!)).toMatchObject({ ok: false, error: "RE" });
    site.zips.grader = Buffer.from("no zip at all");
    const authors = site.add(4);
    authors.taskId = await celery.publish(4);
    await expect.poll(() => authors.status, { timeout: 60_000 }).toBe("E");
    expect(JSON.parse(authors.stored[0]!)).toMatchObject({ ok: false, error: null });
    site.zips.grader = await zipOf(GRADER);
    // A second process in the box, which a signal to the first one alone would leave.
    site.zips.agent = await zipOf(agent(`__import__("os").system("${SLEEP} & ${SLEEP}")`));
    const endless = site.add(5);
    endless.taskId = await celery.publish(5);
    await expect.poll(() => sleepers(), { timeout: 60_000 }).toBe(2);
    const worker = `celery@${hostname()}`;
    expect(await celery.control("revoke", worker, { task_id: endless.taskId, terminate: true })).toEqual({
      ok: `terminate: ${endless.taskId}`,
    });
    await expect.poll(() => endless.status, { timeout: 60_000 }).toBe("E");
    expect(sleepers()).toBe(0);
    expect(JSON.parse(endless.stored[0]!)).toMatchObject({ ok: false, error: null });
    child.kill("SIGTERM");
    expect(await over).toMatchObject({ code: 143 });
    expect(site.refused).toEqual([]);
  }, 180_000);

  it("shows by its self-test that a set-up works, touching no job, and what is wrong with one that does not", async () => {
    const before = site.jobs.size;
    const good = await ended(lanista("--self-test"));
    expect(good).toMatchObject({ code: 0, err: "", out: expect.not.stringContaining("✗") });
    expect(good.out.match(/^✓/gm)).toHaveLength(6);

    writeFileSync(join(dir, "g.zip"), await zipOf(GRADER));
    writeFileSync(join(dir, "a.zip"), await zipOf(agent("raise ValueError('no')")));
    const zips = ["--grader", pathToFileURL(join(dir, "g.zip")).href, "--agent", join(dir, "a.zip")];
    const bad = await ended(lanista("--self-test", "--json", "--queue", "gpu", ...zips));
    const { ok, steps } = JSON.parse(bad.out) as {
      ok: boolean;
      steps: { name: string; ok: boolean; detail: string }[];
    };
    expect(bad.code).toBe(1);
    expect(ok).toBe(false);
    expect(steps.filter((step) => !step.ok).map(({ detail }) => detail)).toEqual([
      expect.stringContaining('no queue "gpu"'),
      expect.stringContaining("RE"),
    ]);
    expect(site.jobs.size).toBe(before);
    expect(site.refused).toEqual([]);
  }, 180_000);

  it("prints its settings with no secret in them, and refuses what makes no sense", async () => {
    const shown = await ended(lanista("--print-settings", "--queue", "private"));
    expect(shown.code).toBe(0);
    expect(shown.out).toMatch(/TASK_QUEUE +private +flag/);
    expect(shown.out).not.toContain(site.token);
    expect(shown.out).not.toContain("guest:guest");
    const wrong = await ended(lanista("--concurrency", "many"));
    expect(wrong.code).toBe(2);
    expect(wrong.err).toContain("CELERY_CONCURRENCY");
  });
});
