import { listenForInterrupt } from "./interrupt.ts";
import { run } from "./run.ts";
import { note, type Terminal } from "./terminal.ts";

const terminal: Terminal = { stdout: process.stdout, stderr: process.stderr, environment: process.env };

// Whoever reads us may stop reading (`lanista env list | head -1`): that is an end, not an error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(process.exitCode ?? 0);
});

const interrupt = listenForInterrupt((text) => note(terminal, `${process.stderr.isTTY ? "\n" : ""}${text}`));
const code = await run(process.argv.slice(2), terminal, interrupt.signal);
interrupt.stop();
process.exitCode = interrupt.exitCode() ?? code;
