import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

export const ROOT = join(import.meta.dirname, "..", "..");
export const LANISTA = join(ROOT, "packages", "cli", "bin", "lanista");

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  /** Without lines of progress, which come where a host is slow: `Playing: 4 steps (15 s)`. */
  readonly stderr: string;
}

const PROGRESS = /^.* \((\d+ min )?\d+ s\)\n/gm;

/** Where the machine's own npm is, and with it its Node: not in what a package manager puts in front. */
function npmFolder(): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return folders.find((folder) => !/node_modules/.test(folder) && existsSync(join(folder, "npm")));
}

const SYSTEM = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** Runs a program to its end, in a folder, with a PATH that holds the system's programs, and npm where it is elsewhere. */
export function runProgram(command: string, args: readonly string[], cwd: string): Promise<Ended> {
  const npm = npmFolder();
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, PATH: [...SYSTEM, ...(npm === undefined ? [] : [npm])].join(delimiter) },
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.on("error", reject);
    child.on("close", (status, signal) => resolve({ status, signal, stdout, stderr: stderr.replace(PROGRESS, "") }));
  });
}
