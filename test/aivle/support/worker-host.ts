/**
 * aiVLE's worker in a process of its own, which a test can kill. Its grader takes about a thousandth of the time limit and says
 * something else each time: a job that is graded twice shows.
 */
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { readAivleSettings } from "@lanista/server/aivle/settings";
import { startAivleWorker } from "@lanista/server/aivle/worker";
import { createLog } from "@lanista/server/ops/log";

const env = process.env;
const log = createLog({ log: { level: "debug", pretty: true } });
const { settings } = readAivleSettings({ flags: {}, env, cwd: process.cwd() });
const interrupt = new AbortController();
const worker = await startAivleWorker(
  {
    settings,
    log,
    env,
    version: "0.0.0",
    grade: async ({ grader, agent, limits, signal }) => {
      const zips = await Promise.all([readFile(grader, "latin1"), readFile(agent, "latin1")]);
      if (zips.join() !== "PK\x05\x06grader,PK\x05\x06agent") throw new Error("other zips");
      await sleep(limits.seconds * (0.5 + Math.random()), undefined, { signal });
      return { kind: "graded", site: { ok: true, raw_log: "a log\0\n", result: randomUUID(), error: null } };
    },
  },
  interrupt.signal,
);
process.on("SIGTERM", () => void worker.drain(30));
await worker.done;
