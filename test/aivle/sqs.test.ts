/** The drop-in worker's other broker: moto's SQS, written to by the real Celery. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { GetQueueAttributesCommand, ListQueuesCommand, SQSClient } from "@aws-sdk/client-sqs";
import { SqsBroker } from "@lanista/server/aivle/sqs-broker";
import type { TaskMessage } from "@lanista/server/aivle/task-message";
import { freePort } from "@lanista/server/testing/free-port";
import { logLines } from "@lanista/server/testing/log-lines";
import { afterAll, beforeAll, describe, expect, it, onTestFailed } from "vitest";
import { LANISTA } from "../cli/spawn.ts";
import { pythonPackages } from "../server/python.ts";
import { CelerySite } from "./support/celery.ts";
import { StandInSite } from "./support/site.ts";
import { WorkerProcess } from "./support/worker-process.ts";

const venv = pythonPackages(join(import.meta.dirname, "requirements.txt"));

describe.runIf(venv !== null)("aiVLE's worker over SQS", () => {
  const dir = mkdtempSync(join(tmpdir(), "lanista-aivle-sqs-"));
  const credentials = { accessKeyId: "test", secretAccessKey: "a/secret" };
  const site = new StandInSite();
  let moto: ChildProcess;
  let celery: CelerySite;
  let client: SQSClient;
  let uri = "";
  let endpoint = "";

  beforeAll(async () => {
    const port = await freePort();
    endpoint = `http://127.0.0.1:${port}`;
    uri = `sqs://test:a%2Fsecret@127.0.0.1:${port}`;
    moto = spawn(join(venv!, "bin/moto_server"), ["-H", "127.0.0.1", "-p", String(port)], { stdio: "ignore" });
    client = new SQSClient({ region: "us-east-1", endpoint, credentials });
    const there = (): Promise<boolean> =>
      client.send(new ListQueuesCommand({})).then(
        () => true,
        () => false,
      );
    for (let tries = 0; tries < 100 && !(await there()); tries++) await sleep(200);
    celery = new CelerySite(venv!, uri, { AWS_DEFAULT_REGION: "us-east-1" });
  });
  afterAll(async () => {
    celery?.stop();
    client?.destroy();
    moto?.kill();
    await site.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  /** Messages that are there, hidden ones among them. */
  async function left(queue: string): Promise<number> {
    const QueueUrl = `${endpoint}/123456789012/${queue}`;
    const AttributeNames = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"] as const;
    const { Attributes = {} } = await client.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...AttributeNames] }),
    );
    return AttributeNames.reduce((sum, name) => sum + Number(Attributes[name]), 0);
  }

  it("grades jobs, deletes their messages once the site has their results, and pauses itself by the thresholds", async () => {
    const worker = new WorkerProcess(join(dir, "worker"), {
      API_BASE_URL: await site.start(),
      BROKER_URI: uri,
      ACCESS_TOKEN: site.token,
      CELERY_CONCURRENCY: "2",
    });
    onTestFailed(() => console.error(worker.lines.join("\n")));
    worker.start();
    const jobs = await Promise.all(
      [1, 2, 3, 4, 5].map(async (id) => {
        const job = site.add(id);
        job.taskId = await celery.publish(id);
        return job;
      }),
    );
    await celery.ask({ do: "other task" });
    await expect.poll(() => jobs.map(({ status }) => status)).toEqual(["D", "D", "D", "D", "D"]);
    await expect.poll(() => left("default")).toBe(0);
    expect(jobs.map(({ told }) => told.length)).toEqual([1, 1, 1, 1, 1]);
    expect(worker.lines.filter((line) => line.includes("dropped a message"))).toHaveLength(1);

    site.queue.ram_required = 100_000_000;
    await expect.poll(() => worker.says("paused"), { timeout: 60_000 }).toBe(true);
    const late = site.add(6);
    late.taskId = await celery.publish(6);
    await sleep(3000);
    expect(late.starts).toBe(0);
    site.queue.ram_required = 0;
    await expect.poll(() => late.status, { timeout: 60_000 }).toBe("D");
    expect(await worker.end()).toBe(0);
    expect(site.refused).toEqual([]);
  });

  it("is what the self-test goes through where it is configured", async () => {
    const child = spawn(LANISTA, ["aivle-worker", "--self-test"], { cwd: join(dir, "worker"), stdio: "pipe" });
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
    expect(err).toBe("");
    expect(out.match(/^✓/gm)).toHaveLength(6);
    expect(out).not.toContain("✗");
  });

  it("keeps a message for as long as it works on it, and lets it come again when it gives it back, or is gone", async () => {
    const { log } = logLines();
    const taken: TaskMessage[] = [];
    const ends: ((kind: "again" | "stored") => void)[] = [];
    const open = (): Promise<SqsBroker> =>
      SqsBroker.open(
        {
          address: { credentials, endpoint },
          region: "us-east-1",
          queue: "gpu",
          concurrency: 1,
          log,
          visibleAfterSeconds: 2,
        },
        {
          task: (message) => {
            taken.push(message);
            return new Promise((resolve) =>
              ends.push((kind) =>
                resolve(
                  kind === "again"
                    ? { kind, why: "" }
                    : { kind, report: { task_id: "", ok: true, raw_log: "", result: "", error: null } },
                ),
              ),
            );
          },
        },
      );
    const id = await celery.publish(11, "gpu");
    const first = new AbortController();
    const broker = await open();
    broker.pause(false);
    const running = broker.run(first.signal);
    await expect.poll(() => taken).toEqual([expect.objectContaining({ jobId: 11, taskId: id })]);
    // Longer than it would be hidden by itself.
    await sleep(5000);
    expect(taken).toHaveLength(1);
    ends[0]!("again");
    await expect.poll(() => taken.length).toBe(2);
    ends[1]!("stored");
    await expect.poll(() => left("gpu")).toBe(0);
    first.abort();
    await running;
    await broker.close();
    expect(taken).toHaveLength(2);
  });
});
