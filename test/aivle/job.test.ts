/** One job against the stand-in for the site, without a broker: what the site's and our faults come to. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GradeBundles } from "@lanista/server/aivle/grader";
import { type JobEnd, runJob } from "@lanista/server/aivle/job";
import { Journal } from "@lanista/server/aivle/journal";
import { Site } from "@lanista/server/aivle/site";
import { logLines } from "@lanista/server/testing/log-lines";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { StandInSite } from "./support/site.ts";

const dir = mkdtempSync(join(tmpdir(), "lanista-aivle-job-"));
const standIn = new StandInSite();
const never = new AbortController().signal;
const { log } = logLines();
let site: Site;
let journal: Journal;
let lastJob = 0;
const servers: Server[] = [];

beforeAll(async () => {
  site = new Site(await standIn.start(), standIn.token);
  journal = await Journal.open(join(dir, "journal"), "site");
});
afterAll(async () => {
  await site.close();
  await standIn.stop();
  for (const server of servers) server.closeAllConnections();
  for (const server of servers) server.close();
  rmSync(dir, { recursive: true });
});

function add() {
  const job = standIn.add(++lastJob);
  job.taskId = `message-${job.id}`;
  const ids = { taskId: job.taskId, jobId: job.id, correlationId: job.taskId };
  const message = { ...ids, eta: undefined, expires: undefined, replyTo: "" };
  const bounds = { race: 1, away: 1 };
  const run = (grade: GradeBundles, stop = never, terminated = never): Promise<JobEnd> =>
    runJob({ site, journal, grade, worker: "celery@host", tempDir: dir, bounds }, message, log, { stop, terminated });
  return { job, run };
}
const fine: GradeBundles = async () => ({ kind: "graded", site: { ok: true, raw_log: "", result: "r", error: null } });
const leftovers = (): readonly string[] => readdirSync(dir).filter((name) => name !== "journal");

describe("a job", () => {
  it("that we fail at is graded again, and is nobody's fault in the end", async () => {
    const { job, run } = add();
    let tries = 0;
    const failing: GradeBundles = async () => {
      tries++;
      throw new Error("no runtime here");
    };
    expect((await run(failing)).kind).toBe("again");
    expect((await run(async () => ({ kind: "ours", why: "the box broke" }))).kind).toBe("again");
    expect((await run(failing)).kind).toBe("stored");
    expect(JSON.parse(job.stored[0]!)).toMatchObject({ ok: false, error: null, result: null });
    expect(job.stored[0]).toContain("not its fault");
    // Now it has its result, whatever comes.
    expect((await run(failing)).kind).toBe("stored");
    expect(tries).toBe(2);
    expect(job.told).toHaveLength(1);
    expect(leftovers()).toEqual([]);
  });

  it("that fails for us once is graded like any other after that", async () => {
    const { job, run } = add();
    expect((await run(async () => ({ kind: "ours", why: "the box broke" }))).kind).toBe("again");
    expect((await run(fine)).kind).toBe("stored");
    expect(job.status).toBe("D");
  });

  it("that kills whoever grades it is given up after twenty times", async () => {
    const { job, run } = add();
    const key = Journal.key(job.id, job.taskId!);
    for (let one = 0; one < 20; one++) await journal.count(key, "begun");
    expect((await run(fine)).kind).toBe("stored");
    expect(JSON.parse(job.stored[0]!)).toMatchObject({ ok: false, error: null });
  });

  it("is tried again for a while only: then it goes back, and is told later what it was graded then", async () => {
    const { job, run } = add();
    standIn.onCall = (call) => {
      // From now on nobody hears it.
      if (call === "agent") standIn.ailing = 1;
    };
    expect((await run(fine)).kind).toBe("again");
    standIn.onCall = () => {};
    standIn.ailing = 0;
    const told = job.told.length;
    expect((await run(() => Promise.reject(new Error("graded again")))).kind).toBe("stored");
    expect(job.starts).toBe(1);
    expect(new Set(job.told).size).toBe(1);
    expect(job.told.length).toBeGreaterThanOrEqual(Math.max(1, told));
    expect(job.status).toBe("D");
  });

  it("whose message's id the site never stores is dropped, and the site is told nothing", async () => {
    const { job, run } = add();
    job.taskId = "another message";
    expect((await run(fine)).kind).toBe("refused");
    expect(job).toMatchObject({ status: "Q", starts: 0, told: [] });
  });

  it("that is stopped goes back, with nothing told and nothing left", async () => {
    const { job, run } = add();
    const stop = new AbortController();
    const running = run(async ({ signal }) => {
      stop.abort();
      signal.throwIfAborted();
      return { kind: "ours", why: "" };
    }, stop.signal);
    expect((await running).kind).toBe("again");
    expect(job.told).toEqual([]);
    expect(leftovers()).toEqual([]);
  });

  it("that its people end is over at the site, nobody's fault, and not begun again", async () => {
    const { job, run } = add();
    const end = new AbortController();
    const running = run(
      async ({ signal }) => {
        end.abort();
        signal.throwIfAborted();
        return { kind: "ours", why: "" };
      },
      never,
      end.signal,
    );
    expect(await running).toEqual({ kind: "revoked", why: "terminated" });
    expect(job.status).toBe("E");
    expect(JSON.parse(job.stored[0]!)).toMatchObject({ ok: false, error: null, result: null });
    expect((await run(() => Promise.reject(new Error("graded again")))).kind).toBe("stored");
    expect(job.told).toHaveLength(1);
    expect(leftovers()).toEqual([]);
  });

  it("that its people end while the site is still asked for it has not begun there", async () => {
    const { job, run } = add();
    job.taskId = "another message";
    const end = new AbortController();
    setTimeout(() => end.abort(), 300);
    expect(await run(fine, never, end.signal)).toEqual({ kind: "revoked", why: "terminated" });
    expect(job).toMatchObject({ status: "Q", starts: 0, stored: [] });
  });

  it("that its people end once it has its result keeps that", async () => {
    const { job, run } = add();
    const end = new AbortController();
    const late: GradeBundles = async (request) => {
      const grade = await fine(request);
      end.abort();
      return grade;
    };
    expect((await run(late, never, end.signal)).kind).toBe("stored");
    expect(job.status).toBe("D");
  });

  it("whose zip cannot be had ends at the site all the same", async () => {
    const { job, run } = add();
    const { zips } = standIn;
    const whole = zips.agent;
    zips.agent = Buffer.alloc(257 * 1024 * 1024);
    expect((await run(fine)).kind).toBe("stored");
    zips.agent = whole;
    expect(JSON.parse(job.stored[0]!)).toMatchObject({ ok: false, error: null });
    expect(leftovers()).toEqual([]);
  });
});

describe("the site's answers", () => {
  async function answering(listener: RequestListener): Promise<Site> {
    const server = createServer(listener);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new Site(`http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/`, "token");
  }

  it.each([
    ["a page of somebody's in front of it", 200, "<html>Log in</html>", "unavailable"],
    ["other types", 200, '{"status": "success", "task": "3", "submission": 5}', "unavailable"],
    ["a path for a number", 200, '{"status": "success", "task": "../../x", "submission": 5}', "unavailable"],
    ["nothing", 200, "", "unavailable"],
    ["2 MiB", 200, " ".repeat(2 * 1024 * 1024), "unavailable"],
    ["500", 500, "", "unavailable"],
    ["429", 429, "", "unavailable"],
    ["another message's id", 401, '{"status": "failed", "reason": "incorrect task_id"}', "conflict"],
    ["a token it does not know", 401, '{"detail": "Invalid token."}', "unauthenticated"],
    ["403", 403, "", "forbidden"],
    ["404", 404, "", "not_found"],
    ["400", 400, "", "invalid"],
  ])("are told apart: %s", async (_what, status, body, code) => {
    const other = await answering((_request, response) => response.writeHead(status).end(body));
    await expect(other.startJob(1, "a", "celery@host", never)).rejects.toMatchObject({ name: "LanistaError", code });
    await other.close();
  });

  it("lead the token nowhere else", async () => {
    let asked = 0;
    const elsewhere = createServer((_request, response) => {
      asked++;
      response.end("{}");
    });
    servers.push(elsewhere);
    await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
    const location = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`;
    const other = await answering((_request, response) => response.writeHead(302, { location }).end());
    await expect(other.task(1, never)).rejects.toMatchObject({ code: "invalid" });
    await expect(other.grader(1, join(dir, "journal", "zip"), 1000, never)).rejects.toMatchObject({ code: "invalid" });
    expect(asked).toBe(0);
    await other.close();
  });

  it("end with the connection: half a zip is none", async () => {
    const other = await answering((_request, response) => {
      response.writeHead(200, { "content-length": "1000" });
      response.write("PK");
      setTimeout(() => response.destroy(), 50);
    });
    const half = other.grader(1, join(dir, "journal", "half"), 10_000, never);
    await expect(half).rejects.toMatchObject({ code: "unavailable" });
    await other.close();
  });
});
