/**
 * A host process to be killed: starts boxes with a program that leaves daemons behind, says where, and waits.
 * argv: runtime, run folder, marker, how many boxes.
 */
import { SandboxHost } from "@lanista/sandbox/host";
import { findPython } from "@lanista/sandbox/interpreters";
import { Lines, specOf, type TestedRuntime } from "./boxes.ts";

const [runtime, runDir, marker, count] = process.argv.slice(2) as [TestedRuntime, string, string, string];
const host = await SandboxHost.open({ runDir });
const stage = { host, runDir, marker, python: await findPython(), close: () => host.close() };
for (let number = 0; number < Number(count); number++) {
  const box = await host.start(specOf(stage, { runtime, file: "survive.py", args: ["many", "stay"] }));
  box.stderr.pipe(process.stderr);
  try {
    process.stdout.write(`${await new Lines(box.stdout).next()}\n`);
  } catch (error) {
    throw new Error(JSON.stringify((await box.ended).cause), { cause: error });
  }
}
process.stdout.write("all up\n");
setInterval(() => undefined, 1000);
