/** How many calls of this server wait for each match: the last one to go away takes the match with it. */
export class RunningCalls {
  readonly #waiting = new Map<string, number>();

  /** Matches that calls wait for. */
  get waiting(): number {
    return this.#waiting.size;
  }

  enter(matchId: string): void {
    this.#waiting.set(matchId, (this.#waiting.get(matchId) ?? 0) + 1);
  }

  /** True if nobody waits for it any more. */
  leave(matchId: string): boolean {
    const left = (this.#waiting.get(matchId) ?? 1) - 1;
    if (left > 0) this.#waiting.set(matchId, left);
    else this.#waiting.delete(matchId);
    return left <= 0;
  }
}
