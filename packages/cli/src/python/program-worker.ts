/** The thread that holds a SyncProgram's process, whose input ends with the thread. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { parentPort, workerData } from "node:worker_threads";
import { ANSWERED, ENDED, LENGTH, type ProgramData, STATUS } from "./program-words.ts";

const { argv, control, text } = workerData as ProgramData;
const LAST_WORDS = 8 * 1024;

const child = spawn(argv[0]!, argv.slice(1), { stdio: ["pipe", "pipe", "pipe"] });
let lastWords = "";

function give(status: number, answer: string): void {
  const { written } = new TextEncoder().encodeInto(answer, text);
  Atomics.store(control, LENGTH, written);
  Atomics.store(control, STATUS, status);
  Atomics.notify(control, STATUS);
}

let gone: string | undefined;
function end(how: string): void {
  if (gone !== undefined) return;
  gone = `${how}${lastWords === "" ? "" : `:\n${lastWords.trimEnd()}`}`;
  give(ENDED, gone);
}

createInterface({ input: child.stdout }).on("line", (line) => give(ANSWERED, line));
child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
  lastWords = (lastWords + chunk).slice(-LAST_WORDS);
});
child.stdin.on("error", () => {
  // It ended; "close" says how.
});
child.on("error", (error) => end(`${argv[0]} could not be started: ${error.message}`));
child.on("close", (code, signal) => end(`${argv[0]} ended with ${signal ?? `status ${code}`}`));
parentPort!.on("message", (line: string) => {
  if (gone === undefined) child.stdin.write(`${line}\n`);
  else give(ENDED, gone);
});
