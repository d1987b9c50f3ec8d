/** Survival: whatever a program leaves behind is gone with its box, and all boxes are gone with the host process. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SandboxHost } from "@lanista/sandbox/host";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { soonest } from "../support/soonest.ts";
import { collect, KINDS, Lines, openStage, type Stage, start } from "./support/boxes.ts";
import { boxLeftovers, leftovers, NOTHING, ownerName } from "./support/leftovers.ts";

const WAYS = [
  "double_fork",
  "setsid_chain",
  "ignore_every_signal",
  "stopped_child",
  "holds_the_output_pipe",
  "no_parent_death_signal",
  "respawner",
  "traps_termination",
] as const;

let stage: Stage;
let owner: string;
/** Whether this user may make control groups at all. */
let grouped: boolean;
beforeAll(async () => {
  stage = await openStage();
  owner = ownerName(stage.runDir)!;
  grouped = leftovers(stage, owner).cgroups.length > 0;
});
afterAll(async () => {
  await stage.close();
  expect(leftovers(stage, owner)).toEqual(NOTHING);
});

describe.each(KINDS)("$name", ({ runtime, image }) => {
  describe.each(WAYS)("%s", (way) => {
    it("is gone when its main process has ended", async () => {
      const box = await start(stage, { runtime, image, file: "survive.py", args: [way, "exit"] });
      const [stdout, stderr] = [collect(box.stdout), collect(box.stderr)];
      const end = await box.ended;
      expect(end.cause, await stderr).toEqual({ kind: "exit", code: 0 });
      expect(await stdout).toMatch(/^ready \d+$/m);
      expect(boxLeftovers(stage, owner)).toEqual(NOTHING);
    });

    it("is there while its box runs, and gone when the box is killed", async () => {
      const box = await start(stage, { runtime, image, file: "survive.py", args: [way, "stay"] });
      const stderr = collect(box.stderr);
      try {
        const [, alive] = (await new Lines(box.stdout).next()).split(" ");
        const seen = boxLeftovers(stage, owner);
        // gVisor's processes are not the host's: there the runtime's own are what is seen.
        expect(seen.processes.length).toBeGreaterThanOrEqual(runtime === "runsc" ? 1 : Number(alive));
        expect(seen.folders).not.toEqual([]);
        if (grouped) expect(seen.cgroups).not.toEqual([]);
      } finally {
        box.kill("enough");
      }
      const end = await box.ended;
      expect(end.cause, await stderr).toEqual({ kind: "killed", reason: "enough" });
      expect(boxLeftovers(stage, owner)).toEqual(NOTHING);
    });
  });

  it("dies while it is frozen", async () => {
    const box = await start(stage, { runtime, image, file: "survive.py", args: ["many", "stay"] });
    await new Lines(box.stdout).next();
    box.freeze();
    await sleep(50);
    box.kill("while frozen");
    expect((await box.ended).cause).toEqual({ kind: "killed", reason: "while frozen" });
    expect(boxLeftovers(stage, owner)).toEqual(NOTHING);
  });

  it("is killed before it has started", async () => {
    const box = await start(stage, { runtime, image, file: "survive.py", args: ["many", "stay"] });
    box.kill("at once");
    expect((await box.ended).cause).toEqual({ kind: "killed", reason: "at once" });
    expect(boxLeftovers(stage, owner)).toEqual(NOTHING);
  });

  describe.skipIf(image)("when the host process is killed with SIGKILL", () => {
    const victim = async (frozen: boolean): Promise<number> => {
      const runDir = mkdtempSync(join(tmpdir(), "lanista-victim-"));
      const marker = `victim-${process.pid}-${runDir.slice(-6)}`;
      const script = join(import.meta.dirname, "support/victim-host.ts");
      const child = spawn(process.execPath, ["--conditions=lanista-source", script, runtime, runDir, marker, "2"], {
        stdio: ["ignore", "pipe", "pipe"],
      });
      const stderr = collect(child.stderr);
      try {
        const lines = new Lines(child.stdout);
        for (let line = ""; line !== "all up"; ) line = await lines.next();
        const name = ownerName(runDir)!;
        const { engineGroup } = stage;
        const place = { runDir, marker, ...(engineGroup === undefined ? {} : { engineGroup }) };
        const before = leftovers(place, name);
        expect(before.processes.length).toBeGreaterThan(2);
        if (frozen) for (const line of before.processes) signal(line, "SIGSTOP", child.pid!);
        child.kill("SIGKILL");
        await new Promise((resolve) => child.once("exit", resolve));
        const killed = performance.now();
        await expect.poll(() => leftovers(place, name).processes, { interval: 20 }).toEqual([]);
        const took = performance.now() - killed;
        // An engine unmounts after the last process.
        await expect.poll(() => leftovers(place, name).mounts, { interval: 20 }).toEqual([]);
        // The next to open a host in that place clears away the rest.
        const next = await SandboxHost.open({ runDir });
        const mine = ownerName(runDir)!;
        expect(mine).not.toBe(name);
        expect({ ...leftovers(place, name), folders: [] }).toEqual(NOTHING);
        await next.close();
        expect(leftovers(place, mine)).toEqual(NOTHING);
        return took;
      } catch (error) {
        child.kill("SIGKILL");
        throw new Error(`${(error as Error).message}\n${await stderr}`, { cause: error });
      } finally {
        rmSync(runDir, { recursive: true, force: true });
      }
    };
    it.each([
      ["every process is gone within a second, and the rest at the next start", false],
      ["the same where every process of the boxes was stopped", true],
    ])("%s", { timeout: 180_000 }, async (_, frozen) => {
      expect(await soonest(1000, () => victim(frozen))).toBeLessThan(1000);
    });
  });
});

/** Stops a process of the list, except the host itself. */
function signal(line: string, name: NodeJS.Signals, except: number): void {
  const pid = Number(line.split(" ")[0]);
  if (pid !== except)
    try {
      process.kill(pid, name);
    } catch {
      // Gone already.
    }
}
