/** One seat's time: so much for each move, then the bank, which holds for the whole match. All in milliseconds. */
export class SeatClock {
  readonly moveMs: number;
  #bankMs: number;
  #chargedMs = 0;

  constructor(moveMs: number, bankMs: number) {
    this.moveMs = moveMs;
    this.#bankMs = bankMs;
  }

  get bankMs(): number {
    return this.#bankMs;
  }

  /** CPU time used in others' time: taken off the next move. */
  charge(ms: number): void {
    this.#chargedMs += ms;
  }

  get chargedMs(): number {
    return this.#chargedMs;
  }

  /** What the next answer may take in all; 0 or less: nothing is left. */
  get allowanceMs(): number {
    return this.moveMs + this.#bankMs - this.#chargedMs;
  }

  /** Takes off a move that took `ms`, with what was charged. The bank never falls below 0. */
  spend(ms: number): void {
    this.#bankMs = Math.max(0, this.#bankMs - Math.max(0, ms + this.#chargedMs - this.moveMs));
    this.#chargedMs = 0;
  }
}
