/** The host's side of the agent protocol at its barest: a line out, a line in, nothing judged. */
import type { Readable, Writable } from "node:stream";
import { sourceOf } from "@lanista/arena/episodes/built-in";
import { actLine, startLine } from "@lanista/arena/messages";
import { connectFour } from "@lanista/games/connect-four";
import { type Environment, makeEnvironment } from "@lanista/games/environment";

/** A program that answers lines: a box, or a bare process. */
export interface Talker {
  readonly stdin: Writable;
  readonly stdout: Readable;
}

export class Talk {
  readonly #to: Talker;
  readonly #waiting: ((line: string) => void)[] = [];
  #text = "";

  constructor(to: Talker) {
    this.#to = to;
    to.stdout.on("data", (chunk: Buffer) => this.#read(chunk.toString("latin1")));
  }

  #read(text: string): void {
    this.#text += text;
    for (let end = this.#text.indexOf("\n"); end >= 0; end = this.#text.indexOf("\n")) {
      const line = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + 1);
      this.#waiting.shift()?.(line);
    }
  }

  /** Resolves with the answer to a line. Never rejects: whoever waits for a program that may die sets a time of his own. */
  ask(line: string): Promise<string> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#to.stdin.write(line);
    });
  }
}

/** The same first position of connect-four for every question: 84 numbers and 7 mask bits, 266 bytes. */
export class Questions {
  readonly env: Environment = makeEnvironment(connectFour);
  readonly #source = sourceOf(this.env);
  readonly #observation = new Float64Array(this.env.observationSize());
  readonly #mask = new Uint8Array(this.env.info.actions).fill(1);
  #id = 0;

  start(agentPath: string, entry = "agent.py"): string {
    const clock = { startMs: 30_000, moveMs: 5000, bankMs: 0 };
    return startLine({ source: this.#source, seat: 0, seed: 1, agentPath, entry, ...clock });
  }

  act(): string {
    return actLine(++this.#id, 0, 0, `[${this.#observation.join(",")}]`, this.#mask, 0);
  }
}

/** From `start` to the first answer. Throws an Error on any other answer than ready and an action. */
export async function firstAnswer(talk: Talk, questions: Questions, agentPath: string): Promise<void> {
  const ready = await talk.ask(questions.start(agentPath));
  if (!ready.includes('"ready"')) throw new Error(`answered start with ${ready}`);
  const answer = await talk.ask(questions.act());
  if (!answer.includes('"action"')) throw new Error(`answered a question with ${answer}`);
}
