/** A box's private /tmp as seen from outside, kept open so that it can be asked also after the box's last process. */
import { closeSync, constants, openSync, readFileSync, statfsSync, statSync } from "node:fs";
import { join } from "node:path";

const TMPFS_MAGIC = 0x01021994;

export interface ScratchPlace {
  /** Where the file system is found from the box's process: inside its root, or in the launcher's mounts. */
  readonly path: string;
  /** How many pid namespaces, this process's own among them, the process stands in whose mounts show it. */
  readonly namespaces: number;
  /** A folder of the host's whose file system it cannot be. */
  readonly dir: string;
}

export class ScratchView {
  readonly #place: ScratchPlace;
  readonly #pids: () => readonly number[];
  readonly #onUp: () => void;
  #open: number | undefined;

  /** `onUp` is called once, when the file system is first seen. */
  constructor(place: ScratchPlace, pids: () => readonly number[], onUp: () => void = () => {}) {
    this.#place = place;
    this.#pids = pids;
    this.#onUp = onUp;
  }

  /** Whether bytes or inodes are used up. False where it is not set up yet, or not to be seen by this user. */
  full(): boolean {
    try {
      if (this.#open === undefined) {
        this.#open = this.#find();
        if (this.#open === undefined) return false;
        this.#onUp();
      }
      const { bfree, ffree } = statfsSync(`/proc/self/fd/${this.#open}`);
      return bfree === 0 || ffree === 0;
    } catch {
      // Not set up yet, or gone with the box.
      return false;
    }
  }

  close(): void {
    if (this.#open !== undefined) closeSync(this.#open);
    this.#open = undefined;
  }

  /** Through /proc/<pid>/root of a process that stands in the right mount namespace. */
  #find(): number | undefined {
    const { path: inside, namespaces, dir } = this.#place;
    for (const pid of this.#pids()) {
      const namespaced = /^NSpid:\s+(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]?.split(/\s+/) ?? [];
      if (namespaced.length !== namespaces) continue;
      const path = join(`/proc/${pid}/root`, inside);
      // The file system must be the box's own tmpfs already: not the folder it will be mounted on, nor the host's /tmp, and
      // either can be a tmpfs as well.
      const { dev } = statSync(path);
      const own = dev !== statSync(inside).dev && dev !== statSync(dir).dev;
      if (own && statfsSync(path).type === TMPFS_MAGIC)
        return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
    }
    return undefined;
  }
}
