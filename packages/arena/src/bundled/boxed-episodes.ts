/** Episodes of an environment in a box of its own: each step is a question to it, and what came of it is kept here. */
import type { Chance, SeededChance } from "@lanista/games/chance";
import type { SandboxStamp } from "@lanista/sandbox/types";
import { legalAction, randomAction } from "../episodes/actions.ts";
import { EnvironmentFault, type Episodes, type SeatView } from "../episodes/episodes.ts";
import type { Action } from "../episodes/spaces.ts";
import { cleanText } from "../seat-fault.ts";
import type { EnvironmentProgram } from "./environment-program.ts";
import type { EnvironmentManifest } from "./manifest.ts";
import { type BoxedTurn, readTurn } from "./turn.ts";

const MAX_BOARD = 64 * 1024;

/** What a seed is made of: as many bits as the environment takes. */
export function episodeSeed(chance: Chance, bits: 32 | 53): number {
  const low = chance.below(2 ** 32);
  return bits === 32 ? low : chance.below(2 ** 21) * 2 ** 32 + low;
}

const ESCAPE = String.fromCharCode(27);

/** Without colours, and bounded. */
function plain(text: string): string {
  const parts = text.slice(0, MAX_BOARD).split(ESCAPE);
  return cleanText(
    parts.map((part, i) => (i === 0 ? part : part.replace(/^\[[0-9;]*[A-Za-z]/, ""))).join(""),
  ).trimEnd();
}

export class BoxedEpisodes implements Episodes {
  readonly #program: EnvironmentProgram;
  readonly #manifest: EnvironmentManifest;
  readonly #views: readonly SeatView[];
  #turn: BoxedTurn | undefined;
  #steps = 0;
  #end: "terminated" | "truncated" | null = null;

  constructor(program: EnvironmentProgram, manifest: EnvironmentManifest, views: readonly SeatView[]) {
    this.#program = program;
    this.#manifest = manifest;
    this.#views = views;
  }

  async reset(chance: SeededChance): Promise<void> {
    const seed = episodeSeed(chance, this.#manifest.seedBits);
    this.#turn = await this.#ask({ type: "reset", seed }, this.#manifest.limits.resetSeconds);
    this.#steps = 0;
    this.#end = null;
    if (this.#turn.actors === 0) throw this.#program.blame("after its reset nobody is to act");
  }

  async step(actions: readonly (Action | null)[]): Promise<void> {
    const before = this.#now.ends;
    this.#turn = await this.#ask({ type: "step", actions }, this.#manifest.limits.stepSeconds);
    this.#steps++;
    const { actors, ends } = this.#turn;
    if (actors === 0) {
      // As the last seats ended: of those that went before, the episode was not over.
      const last = ends.filter((_, seat) => before[seat] === null);
      this.#end = last.includes("terminated") ? "terminated" : "truncated";
    } else if (this.#steps >= this.#manifest.maxSteps) this.#end = "truncated";
  }

  async #ask(question: Readonly<Record<string, unknown>>, seconds: number): Promise<BoxedTurn> {
    const answer = await this.#program.ask(question, seconds);
    try {
      return readTurn(answer, this.#views);
    } catch (error) {
      throw this.#program.blame((error as Error).message);
    }
  }

  get #now(): BoxedTurn {
    if (this.#turn === undefined) throw new Error("no episode has begun");
    return this.#turn;
  }

  get actors(): number {
    return this.#end === null ? this.#now.actors : 0;
  }

  get steps(): number {
    return this.#steps;
  }

  get end(): "terminated" | "truncated" | null {
    return this.#end;
  }

  reward(seat: number): number {
    return this.#now.rewards[seat]!;
  }

  observation(seat: number): string {
    const seen = this.seen(seat);
    if (seen === null) throw new Error(`seat ${seat} is not to act`);
    return seen;
  }

  seen(seat: number): string | null {
    return this.#now.seen[seat] ?? null;
  }

  mask(seat: number): Uint8Array | undefined {
    return this.#now.masks[seat];
  }

  legal(seat: number, action: Action): Action | null {
    if ((this.actors & (1 << seat)) === 0) return null;
    return legalAction(this.#views[seat]!.action, action, this.#now.masks[seat]);
  }

  randomAction(seat: number, chance: Chance): Action {
    return randomAction(this.#views[seat]!.action, chance, this.#now.masks[seat]);
  }

  async render(): Promise<string | null> {
    try {
      const { text } = await this.#program.ask({ type: "render" }, this.#manifest.limits.stepSeconds);
      return typeof text === "string" ? plain(text) : null;
    } catch (error) {
      if (error instanceof EnvironmentFault) return null;
      throw error;
    }
  }

  get box(): SandboxStamp {
    return this.#program.sandbox.stamp;
  }

  log(): Buffer {
    return this.#program.log.content();
  }

  cancel(): void {
    this.#program.cancel();
  }

  close(): Promise<void> {
    return this.#program.close();
  }
}
