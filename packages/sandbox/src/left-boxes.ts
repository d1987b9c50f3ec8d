/**
 * Boxes that have ended and of which something could not be removed: a control group that is busy, a folder that is mounted on.
 * It is tried again until nothing is left, so that their number is what is there now and not what ever went wrong.
 */
const AGAIN_MS = 5000;

/** Removes what is left of a box; what is gone already is no error. */
export type Release = () => Promise<void>;

export class LeftBoxes {
  readonly #left = new Map<string, Release>();
  #timer: NodeJS.Timeout | undefined;

  get count(): number {
    return this.#left.size;
  }

  /** `release` has failed. */
  add(id: string, release: Release): void {
    this.#left.set(id, release);
    this.#later();
  }

  /** What is left then is for whoever closes. */
  close(): void {
    this.#left.clear();
    clearTimeout(this.#timer);
  }

  #later(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#again(), AGAIN_MS).unref();
  }

  async #again(): Promise<void> {
    for (const [id, release] of [...this.#left])
      await release().then(
        () => this.#left.delete(id),
        () => undefined,
      );
    if (this.#left.size > 0) this.#later();
  }
}
