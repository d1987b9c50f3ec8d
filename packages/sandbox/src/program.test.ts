import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { idsIn } from "./cgroup.ts";

test("ids of processes that this one cannot see are left out: a signal to 0 would hit the sender", () => {
  expect(idsIn("0\n12\n0\n7\n")).toEqual([12, 7]);
  expect(idsIn("")).toEqual([]);
});

test("a host process without descriptors left refuses a start, and lives on", () => {
  const folder = mkdtempSync(join(tmpdir(), "lanista-descriptors-"));
  const script = `
    import { closeSync, openSync, readdirSync } from "node:fs";
    import { SandboxHost } from ${JSON.stringify(new URL("./host.ts", import.meta.url).href)};
    const host = await SandboxHost.open({ runDir: ${JSON.stringify(folder)} });
    const spec = { tier: "none", argv: ["/bin/true"] };
    await (await host.start(spec)).ended;
    const held = [];
    try { for (;;) held.push(openSync("/dev/null")); } catch {}
    closeSync(held.pop());
    closeSync(held.pop());
    const failure = await host.start(spec).then(() => "started", String);
    for (const fd of held) closeSync(fd);
    const left = readdirSync(${JSON.stringify(folder)}, { recursive: true }).filter((name) => /[/]b\\d+$/.test(name));
    await new Promise((resolve) => setTimeout(resolve, 20));
    const after = (await (await host.start(spec)).ended).cause;
    await host.close();
    console.log(JSON.stringify({ failure, left, after }));
  `;
  const node = [process.execPath, "--conditions=lanista-source", "--input-type=module-typescript", "-e", script];
  const said = execFileSync("/bin/sh", ["-c", 'ulimit -n 100 && exec "$@"', "sh", ...node], { encoding: "utf8" });
  rmSync(folder, { recursive: true });
  expect(JSON.parse(said)).toEqual({
    failure: expect.stringMatching(/^SandboxError: .*no file descriptors left/),
    left: [],
    after: { kind: "exit", code: 0 },
  });
});
