/**
 * One process of the grader's, and the agent's box behind it. Questions are passed in as they come; one answer is let out for
 * each, and what else the agent writes to its channel is its fault. Its end is told to the grader's process, which then ends as
 * it did, for in aiVLE the two are one process.
 */
import type { Cause, Sandbox, SandboxEnd } from "@lanista/sandbox/types";
import { BoundedLog } from "./bundle-log.ts";
import { type Frame, FrameReader, jsonFrame, KIND, ofSession } from "./frames.ts";

/** A shim asks one question at a time, and may be called off it. */
const MOST_OWED = 4;
/** Bytes of interruptions that an agent which reads nothing is sent. */
const MOST_WAITING = 1024 * 1024;
/** Of standard error, read and mostly thrown away. */
export const MOST_OUTPUT = 256 * 1024 * 1024;

export interface AgentError {
  readonly type: string;
  readonly message: string;
}

export class AgentSession {
  readonly #box: Sandbox;
  readonly #toGrader: (frame: Buffer) => void;
  readonly log = new BoundedLog();
  /** Answers still owed. */
  #owed = 0;
  /** The last question's number. */
  #asked: Buffer | null = null;
  #closed = false;
  calls = 0;
  /** The last error its code raised. */
  error: AgentError | null = null;
  /** Its end, where it ended by itself. */
  end: SandboxEnd | null = null;
  protocolFault: string | null = null;
  /** Its box's end, whatever ended it. */
  last: SandboxEnd | null = null;
  readonly ended: Promise<SandboxEnd>;

  constructor(
    box: Sandbox,
    session: () => number,
    toGrader: (frame: Buffer) => void,
    onEnd: (end: SandboxEnd) => void,
  ) {
    this.#box = box;
    this.#toGrader = toGrader;
    const frames = new FrameReader();
    box.stdout.on("data", (chunk: Buffer) => {
      try {
        for (const one of frames.push(chunk)) this.#answer(one, session());
      } catch (error) {
        this.#broke((error as Error).message);
      }
    });
    let written = 0;
    box.stderr.on("data", (chunk: Buffer) => {
      written += chunk.length;
      if (written > MOST_OUTPUT) this.#broke(`it wrote more than ${MOST_OUTPUT} bytes to its log`);
      else this.log.add(chunk.toString("utf8"));
    });
    this.ended = box.ended.then((end) => {
      this.last = end;
      if (!this.#closed) {
        this.end = end;
        onEnd(end);
        toGrader(jsonFrame(KIND.gone, session(), goneAs(end.cause)));
      }
      return end;
    });
  }

  /** Whether an answer of its is awaited. */
  get waiting(): boolean {
    return this.#owed > 0;
  }

  get box(): Sandbox {
    return this.#box;
  }

  /** Throws a RangeError on more questions at once than the shim ever asks. */
  ask({ payload, raw }: Frame): void {
    if (this.#owed >= MOST_OWED) throw new RangeError("too many questions at once");
    this.#owed++;
    this.#asked = payload.subarray(0, 4);
    this.calls++;
    this.#box.stdin.write(raw);
  }

  interrupt({ payload, raw }: Frame): void {
    // Of a question that was never sent, since what interrupts it came first: that is answered, too.
    if (this.#asked === null || !payload.equals(this.#asked)) {
      this.#owed++;
      this.#asked = payload;
    }
    if (this.#box.stdin.writableLength < MOST_WAITING) this.#box.stdin.write(raw);
  }

  #answer({ kind, payload, raw }: Frame, session: number): void {
    // Until it is dead it may go on to answer as it should: nothing of that reaches the grader, which could end with it.
    if (this.#closed || this.protocolFault !== null) return;
    if ((kind !== KIND.answer && kind !== KIND.failure) || payload.length < 4) {
      this.#broke(`a frame of kind ${kind}`);
      return;
    }
    if (this.#owed === 0) {
      this.#broke("an answer to no question");
      return;
    }
    this.#owed--;
    if (kind === KIND.failure) this.error = errorOf(payload) ?? this.error;
    this.#toGrader(ofSession(raw, session));
  }

  #broke(what: string): void {
    this.protocolFault ??= `the agent's box was ended: ${what}`;
    this.#box.kill("it broke the protocol");
  }

  /** Ends it, since nobody asks any more. */
  close(reason: string): void {
    this.#closed = true;
    this.#box.kill(reason);
  }
}

/** How the grader's process is to end. */
function goneAs(cause: Cause): { signal?: string; code?: number } {
  if (cause.kind === "signal") return { signal: cause.signal };
  if (cause.kind === "exit") return { code: cause.code };
  return cause.kind === "memory" ? { signal: "SIGKILL" } : { code: 1 };
}

/** A failure's head, written by the agent's box: an error's name and text, for people. */
function errorOf(payload: Buffer): AgentError | null {
  try {
    const size = payload.readUInt32LE(4);
    const facts = JSON.parse(payload.subarray(8, 8 + size).toString("utf8")) as Record<string, unknown>;
    const text = (value: unknown, most: number): string => (typeof value === "string" ? value.slice(0, most) : "");
    return { type: text(facts.type, 200), message: text(facts.message, 4000) };
  } catch {
    return null;
  }
}
