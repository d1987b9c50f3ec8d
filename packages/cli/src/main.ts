import { EXIT } from "./exit-code.ts";
import { listenForInterrupt } from "./interrupt.ts";
import { run } from "./run.ts";
import { note, type Terminal } from "./terminal.ts";

const terminal: Terminal = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
};

// Whoever reads us may stop reading (`lanista env list | head -1`): that is an end, not an error, and the command goes on to its
// own exit code. Anything else (a full disk) means that the result was not told.
let broken: "left" | "untold" | undefined;
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // What is written after the first error fails as well.
  if (broken !== undefined) return;
  broken = error.code === "EPIPE" ? "left" : "untold";
  if (broken === "left") return;
  process.exitCode = EXIT.infraFault;
  note(terminal, `lanista: standard output cannot be written: ${error.message}`);
});
// Nobody is left to tell that standard error is gone.
process.stderr.on("error", () => {});

const interrupt = listenForInterrupt((text) => note(terminal, `${process.stderr.isTTY ? "\n" : ""}${text}`));
const code = await run(process.argv.slice(2), terminal, interrupt.signal, {
  onSecondSignal: interrupt.onSecond,
  endBySignal: interrupt.giveBack,
});
interrupt.stop();
process.exitCode = interrupt.exitCode() ?? (broken === "untold" ? EXIT.infraFault : code);
