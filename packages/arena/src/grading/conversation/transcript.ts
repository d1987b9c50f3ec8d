/** What was asked and answered in a case, as JSON Lines: all of it is hashed, and the first of it kept. */
import { createHash } from "node:crypto";

const MAX_KEPT = 16 * 1024 * 1024;

export class Transcript {
  readonly #hash = createHash("sha256");
  readonly #kept: string[] = [];
  #size = 0;
  #left = 0;

  write(entry: Readonly<Record<string, unknown>>): void {
    const line = `${JSON.stringify(entry)}\n`;
    this.#hash.update(line);
    if (this.#left === 0 && this.#size + line.length <= MAX_KEPT) {
      this.#kept.push(line);
      this.#size += line.length;
    } else this.#left++;
  }

  /** Called once. */
  finish(): { readonly text: string; readonly hash: string } {
    const end = this.#left === 0 ? "" : `${JSON.stringify({ left_out: this.#left })}\n`;
    return { text: `${this.#kept.join("")}${end}`, hash: this.#hash.digest("hex") };
  }
}
