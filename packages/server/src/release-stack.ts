/** What was acquired is released in reverse order, each once, whatever fails on the way. */
export class ReleaseStack {
  readonly #releases: { readonly what: string; readonly release: () => Promise<void> | void }[] = [];
  readonly #failed: (what: string, error: unknown) => void;

  constructor(failed: (what: string, error: unknown) => void) {
    this.#failed = failed;
  }

  add(what: string, release: () => Promise<void> | void): void {
    this.#releases.push({ what, release });
  }

  async release(): Promise<void> {
    for (let next = this.#releases.pop(); next !== undefined; next = this.#releases.pop()) {
      try {
        await next.release();
      } catch (error) {
        this.#failed(next.what, error);
      }
    }
  }
}
