import { getRandomValues } from "node:crypto";

/** Random 32-bit integers, drawn in batches: nobody can tell the next one from those he has seen. */
export class QuestionIds {
  readonly #drawn = new Uint32Array(64);
  #used = this.#drawn.length;

  next(): number {
    if (this.#used === this.#drawn.length) {
      getRandomValues(this.#drawn);
      this.#used = 0;
    }
    return this.#drawn[this.#used++]!;
  }
}
