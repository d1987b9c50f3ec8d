/** The names of what can be found wrong with an environment. */
export const CHECKS = {
  definition: "the definition is complete, and the rules can be made with every option",
  info: "what the rules say of themselves makes sense",
  throws: "nothing throws in legal play",
  state: "the fields that belong to the base are kept as it expects: whose turn it is, steps, ends",
  determinism: "the same state, action and chance give the same result",
  purity: "all of an episode is in its state: nothing else is kept, and only the destination changes",
  mask: "masks hold 0 or 1, agree with isLegal, and leave whoever is to act a legal action",
  "illegal-action": "an action that is not legal is refused: it ends the episode, and its seat has the least return",
  space: "observations are written whole and belong to the observation space",
  end: "episodes end, and not after more than the greatest number of steps",
  "after-end": "nothing happens after the end",
  serialise: "a state can be written as JSON and read back",
  rendering: "a state's text and the actions' names can be printed",
  chance: "rules draw from the chance they are handed exactly if they say so",
  "zero-sum": "rewards sum to zero at each step where the rules say so",
  "return-range": "sums of rewards stay in the range that the rules name",
} as const;

export type CheckName = keyof typeof CHECKS;

export interface Finding {
  readonly check: CheckName;
  /** What was seen, for people. */
  readonly detail: string;
  /** Where: the options, and the seed and step of the playout if it was in one. */
  readonly where: string;
}

/** Collects findings: of each check the first only, for one mistake tends to show everywhere. */
export class Report {
  readonly #findings = new Map<CheckName, Finding>();
  /** Set by whoever goes through a playout. */
  where = "";

  found(check: CheckName, detail: string): void {
    if (!this.#findings.has(check)) this.#findings.set(check, { check, detail, where: this.where });
  }

  /** Runs `body`; what it throws becomes a finding. Returns whether it threw nothing. */
  guard(check: CheckName, what: string, body: () => unknown): boolean {
    try {
      body();
      return true;
    } catch (error) {
      this.found(check, `${what} threw ${error}`);
      return false;
    }
  }

  get findings(): Finding[] {
    return [...this.#findings.values()];
  }
}
