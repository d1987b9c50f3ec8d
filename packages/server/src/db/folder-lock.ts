/**
 * One owner of a folder at a time. The lock is the kernel's (flock), taken by the program of that name on a descriptor
 * of ours: it lies on the open file, so it is ours when the program has ended, and goes when this process does, however
 * it ends. It holds between containers that share the folder, too.
 */
import { spawn } from "node:child_process";
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { LanistaError } from "@lanista/api/errors";

export interface FolderLock {
  release(): void;
}

const TAKEN = 1;

/**
 * Locks by way of a file, which is made where missing and holds the owner's process id, for people.
 * Gives undefined if somebody live has it. Throws LanistaError `unavailable` where flock (util-linux) is missing.
 */
export async function lockFile(path: string): Promise<FolderLock | undefined> {
  const fd = openSync(path, "a+", 0o600);
  try {
    const status = await flock(fd);
    if (status === TAKEN) {
      closeSync(fd);
      return undefined;
    }
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  ftruncateSync(fd);
  writeSync(fd, `${process.pid}\n`);
  let held = true;
  return {
    release() {
      if (held) closeSync(fd);
      held = false;
    },
  };
}

/** Who wrote the lock's file last, as text for a message; empty if nobody did. */
export function lockOwner(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}

function flock(fd: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn("flock", ["--exclusive", "--nonblock", "3"], { stdio: ["ignore", "ignore", "ignore", fd] });
    child.once("error", (cause) =>
      reject(
        new LanistaError("unavailable", `flock could not be run: ${cause.message}`, {
          hint: "Install util-linux.",
          cause,
        }),
      ),
    );
    child.once("exit", (code) => {
      if (code === 0 || code === TAKEN) resolve(code);
      else reject(new LanistaError("unavailable", `flock ended with ${code}`));
    });
  });
}
