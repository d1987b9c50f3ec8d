/**
 * What a host that cannot enforce some limits must do: refuse by name, with what to install or call, and run a sandbox
 * once the caller gives up these limits and no fewer. The arguments are the names expected.
 * Not part of the suite: it is run by passes.sh, as users who lack something on purpose.
 */
import assert from "node:assert/strict";
import { SandboxHost } from "@lanista/sandbox/host";
import type { GiveUp, Runtime, SandboxSpec } from "@lanista/sandbox/types";

const expected = process.argv.slice(2) as GiveUp[];
const host = await SandboxHost.open();

async function refusal(spec: SandboxSpec): Promise<string> {
  try {
    const box = await host.start(spec);
    box.kill("should not have started");
    await box.ended;
  } catch (error) {
    assert.equal((error as { code?: string }).code, "refused", String(error));
    return (error as Error).message;
  }
  throw new assert.AssertionError({ message: `started, although ${expected.join(", ")} cannot be enforced here` });
}

const named = (message: string): string[] => [...message.matchAll(/^ {2}(\w+): /gm)].map((match) => match[1]!).sort();

async function run(
  spec: SandboxSpec,
): Promise<{ said: string; kind: string; gaveUp: readonly string[]; detail: string }> {
  const box = await host.start(spec);
  let said = "";
  for (const stream of [box.stdout, box.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const { cause, stamp } = await box.ended;
  return { said, kind: cause.kind, gaveUp: [...stamp.gaveUp].sort(), detail: JSON.stringify(cause) };
}

try {
  for (const runtime of ["crun", "runc", "runsc"] as const satisfies Runtime[]) {
    const spec: SandboxSpec = {
      tier: runtime === "runsc" ? "gvisor" : "container",
      runtime,
      argv: ["/bin/sh", "-c", "echo ran"],
      limits: { wallSeconds: 60 },
    };
    const message = await refusal(spec);
    if (runtime === "crun") console.log(message);
    const all = named(message) as GiveUp[];
    for (const name of expected) assert.ok(all.includes(name), `${runtime}: ${name} is not refused`);
    // Nothing is given up by giving up something else.
    for (const name of all)
      assert.deepEqual(named(await refusal({ ...spec, giveUp: all.filter((other) => other !== name) })), [name]);
    const whole = await run({ ...spec, giveUp: all });
    assert.deepEqual(
      { said: whole.said, kind: whole.kind, gaveUp: whole.gaveUp },
      { said: "ran\n", kind: "exit", gaveUp: all },
      `${runtime}: ${whole.detail}`,
    );
    // The limits that were not given up hold.
    const late = await run({ ...spec, argv: ["/bin/sleep", "60"], limits: { wallSeconds: 5 }, giveUp: all });
    assert.equal(late.kind, "wallTime", `${runtime}: ${late.detail}`);
    console.log(`${runtime}: refused, and ran once ${all.join(", ")} was given up`);
  }
} finally {
  await host.close();
}
