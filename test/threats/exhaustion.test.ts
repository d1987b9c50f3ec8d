/** Exhaustion: each limit ends the box with its own name as the first cause, and the same program passes where it is roomy. */
import { chmodSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LimitName } from "@lanista/sandbox/types";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cannot, isGrouped, openStage, RUNTIMES, runProgram, type Stage, start, tierOf } from "./support/boxes.ts";
import { CASES, MiB } from "./support/exhaustion-cases.ts";
import { boxLeftovers, leftovers, NOTHING, ownerName } from "./support/leftovers.ts";

let stage: Stage;
let owner: string;
beforeAll(async () => {
  stage = await openStage();
  owner = ownerName(stage.runDir)!;
});
afterAll(async () => {
  await stage.close();
  expect(leftovers(stage, owner)).toEqual(NOTHING);
});

/** A box that uses nothing up on its way needs this long beyond its limit to be seen, killed and cleared away. */
const GRACE_SECONDS = 0.5;

describe.each(RUNTIMES)("%s", (runtime) => {
  const refused = cannot(runtime);
  const exhaust = (thing: string, amount: number) => ({ runtime, file: "exhaust.py", args: [thing, String(amount)] });

  for (const [line, cases] of Object.entries(CASES))
    describe(line, () => {
      for (const { thing, amount, tight, cause, roomy, reached } of cases) {
        const impossible = (Object.keys(tight) as LimitName[]).filter((name) => refused.has(name));
        // What this runtime cannot enforce on this host is refused at the start, which the next test shows.
        it.skipIf(impossible.length > 0)(`${thing} ends as ${cause}`, { retry: 2 }, async () => {
          const ran = await runProgram(stage, { ...exhaust(thing, amount), limits: { wallSeconds: 60, ...tight } });
          expect(ran.end.cause, ran.stdout.slice(-200) + ran.stderr.slice(-500)).toEqual({ kind: cause });
          expect(boxLeftovers(stage, owner)).toEqual(NOTHING);
          if (cause === "wallTime") expect(ran.end.usage.wallSeconds).toBeLessThan(tight.wallSeconds! + GRACE_SECONDS);
          if (cause === "cpuTime") expect(ran.end.usage.cpuSeconds).toBeLessThan(tight.cpuSeconds! + GRACE_SECONDS);
        });
        it.skipIf(impossible.length > 0)(`${thing} passes where there is room`, { timeout: 240_000 }, async () => {
          const limits = { wallSeconds: 200, ...roomy };
          const ran = await runProgram(stage, { ...exhaust(thing, amount), limits });
          expect(ran.end.cause, ran.stdout.slice(-200) + ran.stderr.slice(-500)).toEqual({ kind: "exit", code: 0 });
          expect(ran.stdout.slice(-100).trim()).toMatch(reached);
        });
      }
    });

  it.runIf(refused.has("pids") && isGrouped)(
    "a fork bomb ends all the same, by what bounds the host's tasks or by memory",
    async () => {
      const ran = await runProgram(stage, { ...exhaust("fork_bomb", 3000), limits: { wallSeconds: 60 } });
      expect(["pids", "memory"]).toContain(ran.end.cause.kind);
      expect(boxLeftovers(stage, owner)).toEqual(NOTHING);
    },
  );

  describe("file descriptors", () => {
    it("of one process are bounded, and the program is told", async () => {
      const ran = await runProgram(stage, { ...exhaust("descriptors", 500), limits: { openFiles: 64 } });
      expect(ran.end.cause).toEqual({ kind: "exit", code: 0 });
      const [error, opened] = ran.stdout.trim().split(" ");
      expect(error).toBe("EMFILE");
      expect(Number(opened)).toBeLessThan(64);
    });
    it("are to be had where there is room", async () => {
      const ran = await runProgram(stage, { ...exhaust("descriptors", 500), limits: { openFiles: 1024 } });
      expect(ran.stdout.trim()).toBe("500");
    });
    it("of children are bounded for each", async () => {
      const ran = await runProgram(stage, { ...exhaust("descriptors_in_children", 500), limits: { openFiles: 64 } });
      const counts = ran.stdout.trim().split("\n").map(Number);
      expect(counts).toHaveLength(8);
      expect(Math.max(...counts)).toBeLessThan(64);
    });
  });

  describe("memory by page cache and shared memory", () => {
    let folder: string;
    beforeAll(() => {
      // On a disk: where /tmp is a tmpfs, looking at a hole of a file there takes memory, and the reader pays.
      folder = mkdtempSync("/var/tmp/lanista-data-");
      chmodSync(folder, 0o755);
      writeFileSync(join(folder, "large"), "");
      truncateSync(join(folder, "large"), 200 * MiB);
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    it("a file larger than the limit is read within it", async () => {
      const ran = await runProgram(stage, {
        ...exhaust("page_cache", 200 * MiB),
        mounts: [{ source: folder, target: "/data" }],
        limits: { memoryBytes: 96 * MiB },
      });
      expect(ran.end.cause, ran.stderr).toEqual({ kind: "exit", code: 0 });
      expect(ran.stdout.trim()).toBe("200 0");
      // The runtime's own share of the group comes on top of the limit.
      expect(ran.end.usage.peakMemoryBytes).toBeLessThanOrEqual(96 * MiB + 64 * MiB);
    });
    it("/dev/shm is full at its limit, and the program is told", async () => {
      const ran = await runProgram(stage, { ...exhaust("shared_memory", 32 * MiB), limits: { shmBytes: 8 * MiB } });
      expect(ran.end.cause).toEqual({ kind: "exit", code: 0 });
      expect(ran.stdout.trim()).toBe("ENOSPC 8");
    });
  });

  describe("disk bytes asked for at once", () => {
    it.each([
      [16, "ENOSPC"],
      [64, "48"],
    ])("with %i MiB to be had: %s", async (mebibytes, answer) => {
      const limits = { scratchBytes: mebibytes * MiB };
      const ran = await runProgram(stage, { ...exhaust("tmpfs_sparse", 48 * MiB), limits });
      expect(ran.end.cause).toEqual({ kind: "exit", code: 0 });
      expect(ran.stdout.trim()).toBe(answer);
    });
  });

  describe("output that nobody reads", () => {
    it("stops the program, and does not fill the host's memory", async () => {
      const before = process.memoryUsage.rss();
      const box = await start(stage, {
        ...exhaust("stdout", 400 * MiB),
        limits: { wallSeconds: 1.5, outputBytes: 300 * MiB },
      });
      const end = await box.ended;
      expect(end.cause).toEqual({ kind: "wallTime" });
      expect(end.usage.outputBytes).toBeLessThan(16 * MiB);
      expect(process.memoryUsage.rss() - before).toBeLessThan(100 * MiB);
    });
  });

  describe("an agent that stops reading its input", () => {
    it("blocks nobody but itself", async () => {
      const box = await start(stage, { ...exhaust("deaf", 30), limits: { wallSeconds: 1.5 } });
      box.stdout.resume();
      box.stderr.resume();
      const taken = box.stdin.write(Buffer.alloc(16 * MiB, "x"));
      const end = await box.ended;
      expect(taken).toBe(false);
      expect(end.cause).toEqual({ kind: "wallTime" });
    });
  });

  describe("the CPU share", () => {
    const used = async (cpus: number): Promise<number> => {
      const ran = await runProgram(stage, { ...exhaust("busy", 30), limits: { cpus, wallSeconds: 2 } });
      expect(ran.end.cause).toEqual({ kind: "wallTime" });
      return ran.end.usage.cpuSeconds / ran.end.usage.wallSeconds;
    };
    it.skipIf(refused.has("cpus"))("is kept to", async () => {
      expect(await used(0.2)).toBeLessThan(0.3);
    });
    it.skipIf(refused.has("cpuSeconds"))("is more where more is given", { retry: 5 }, async () => {
      expect(await used(1)).toBeGreaterThan(0.3);
    });
  });

  it.runIf(refused.size > 0)("refuses what it cannot enforce, by name", async () => {
    await expect(stage.host.start({ tier: tierOf(runtime), runtime, argv: ["/bin/true"] })).rejects.toMatchObject({
      code: "refused",
      message: expect.stringContaining([...refused.keys()][0]!),
    });
  });
});
