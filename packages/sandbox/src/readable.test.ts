import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cgroupLayout } from "./cgroup-layout.ts";
import { unenforceable } from "./enforceable.ts";
import { SandboxHost } from "./host.ts";
import { findExecutable } from "./runtimes.ts";
import type { SandboxEnd } from "./types.ts";

const rootless = process.getuid?.() !== 0;
const giveUp = [...unenforceable("crun", cgroupLayout(), rootless).keys()];
let dir: string;
let host: SandboxHost;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "lanista-readable-"));
  host = await SandboxHost.open({ runDir: join(dir, "run") });
});
afterAll(async () => {
  await host.close();
  rmSync(dir, { recursive: true, force: true });
});

test.skipIf(findExecutable("crun") === undefined || giveUp.includes("uid"))(
  "a program in a folder that others may not read is refused, with what to do",
  async () => {
    // The folder above is closed to others as well, which is no matter.
    const shown = join(dir, "closed/shown");
    mkdirSync(join(shown, "bin"), { recursive: true });
    writeFileSync(join(shown, "bin/run"), "#!/bin/sh\nexit 3\n");
    const modes = (top: number, folder: number, file: number): void => {
      chmodSync(join(dir, "closed"), 0o700);
      chmodSync(shown, top);
      chmodSync(join(shown, "bin"), folder);
      chmodSync(join(shown, "bin/run"), file);
    };
    const end = async (): Promise<SandboxEnd> => {
      const mounts = [{ source: shown, target: "/opt/shown" }];
      const box = await host.start({ tier: "container", argv: ["/bin/sh", "/opt/shown/bin/run"], mounts, giveUp });
      for (const stream of [box.stdout, box.stderr]) stream.resume();
      return box.ended;
    };
    modes(0o755, 0o755, 0o644);
    expect((await end()).cause).toEqual({ kind: "exit", code: 3 });
    for (const [path, top, folder, file] of [
      [shown, 0o700, 0o755, 0o644],
      [join(shown, "bin"), 0o755, 0o700, 0o644],
      [join(shown, "bin/run"), 0o755, 0o755, 0o600],
    ] as const) {
      modes(top, folder, file);
      await expect(end()).rejects.toMatchObject({
        code: "refused",
        message: `${path} cannot be read by other users, and sandboxes have user ids of their own; chmod -R o+rX ${shown}`,
      });
    }
  },
);
