/**
 * The conversation with an environment's box: one question, one answer, each a line of JSON, under a deadline. Theory of operation.
 * It is in one of three states: waiting, asking, over (every further question gets the same EnvironmentFault). Whatever is no answer
 * ends it: the box of an environment that does not keep to this cannot be believed in anything.
 *
 * Whose fault an end is: what the program did, its limits and its lateness included, is the environment's; a runtime that failed, a
 * host that kept it from running, and a box killed from outside are ours.
 */
import type { Sandbox, SandboxEnd } from "@lanista/sandbox/types";
import { ClockSamples } from "../clock-samples.ts";
import { Deadline } from "../deadline.ts";
import { EnvironmentFault } from "../episodes/episodes.ts";
import { HostClock } from "../host-clock.ts";
import { depth } from "../json-line.ts";
import { LineReader } from "../line-reader.ts";
import { blameForEnd, cleanDetail } from "../seat-fault.ts";
import { SeatLog } from "../seat-log.ts";

/** Of one answer: all seats' observations. */
export const MAX_ANSWER = 16 * 1024 * 1024;
/** A Dict tells of each part in three brackets. */
const MAX_DEPTH = 40;
/** Of what it prints. */
const MAX_PRINTED = 64 * 1024 * 1024;
/** How long the end of a box that closed its output is waited for. */
const CLOSED_MS = 400;
const LOG_MS = 200;

interface Question {
  readonly id: number;
  readonly deadline: Deadline;
  readonly settle: (answer: Record<string, unknown>) => void;
  readonly fail: (fault: EnvironmentFault) => void;
}

type State =
  | { readonly kind: "waiting" }
  | { readonly kind: "asking"; readonly question: Question }
  | { readonly kind: "over"; readonly fault: EnvironmentFault };

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export class EnvironmentProgram {
  readonly sandbox: Sandbox;
  readonly log: SeatLog;
  readonly #host = new HostClock();
  readonly #samples: ClockSamples;
  readonly #lines = new LineReader(MAX_ANSWER);
  #state: State = { kind: "waiting" };
  #count = 0;
  #printed = 0;

  constructor(sandbox: Sandbox) {
    this.sandbox = sandbox;
    this.#samples = new ClockSamples(sandbox, this.#host);
    this.log = new SeatLog(sandbox.stderr);
    sandbox.stderr.on("data", (chunk: Buffer) => {
      this.#printed += chunk.length;
      if (this.#printed > MAX_PRINTED) this.#atFault(`printed more than ${MAX_PRINTED} bytes`);
    });
    sandbox.stdin.on("error", () => {}); // Its end says why.
    sandbox.stdout.on("error", () => {});
    sandbox.stdout.on("data", (chunk: Buffer) => this.#read(chunk));
    sandbox.stdout.on("close", () => {
      setTimeout(() => this.#atFault("closed its output"), CLOSED_MS).unref();
    });
    void sandbox.ended.then((end) => this.#ended(end));
  }

  /** Throws EnvironmentFault. */
  ask(question: Readonly<Record<string, unknown>>, seconds: number): Promise<Record<string, unknown>> {
    const state = this.#state;
    if (state.kind === "over") return Promise.reject(state.fault);
    if (state.kind === "asking") return Promise.reject(new Error("a question is still open"));
    return new Promise((settle, fail) => {
      const id = ++this.#count;
      const deadline = new Deadline({
        host: this.#host,
        samples: this.#samples,
        allowanceMs: seconds * 1000,
        isReady: () => !this.sandbox.over && this.sandbox.runnable(),
        onLate: () => this.#atFault(`no answer to ${question.type} within ${seconds} s`),
        onStarved: (detail) => this.#end(new EnvironmentFault(detail, { ours: true })),
      });
      this.#state = { kind: "asking", question: { id, deadline, settle, fail } };
      this.sandbox.stdin.write(`${JSON.stringify({ ...question, id })}\n`);
    });
  }

  /** Ends the conversation: the open question, and each further one, fails. */
  cancel(): void {
    this.#end(new EnvironmentFault("the environment was not wanted any more", { ours: true }));
  }

  /** Ends it as one that did not keep to what it owes. */
  blame(detail: string): EnvironmentFault {
    const fault = new EnvironmentFault(`the environment was at fault: ${cleanDetail(detail)}`);
    this.#end(fault);
    return fault;
  }

  /** Ends the box and waits until nothing of it is left. */
  async close(): Promise<void> {
    this.cancel();
    this.sandbox.kill("the environment is not wanted any more");
    await this.sandbox.ended;
    this.#host.close();
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([this.log.closed, new Promise((resolve) => (timer = setTimeout(resolve, LOG_MS)))]);
    clearTimeout(timer);
  }

  #atFault(detail: string): void {
    if (this.#state.kind !== "over") this.blame(detail);
  }

  #end(fault: EnvironmentFault): void {
    const state = this.#state;
    if (state.kind === "over") return;
    this.#state = { kind: "over", fault };
    this.sandbox.kill("its environment's part is over");
    if (state.kind !== "asking") return;
    state.question.deadline.clear();
    state.question.fail(fault);
  }

  #read(chunk: Buffer): void {
    if (this.#state.kind === "over") return;
    if (this.#state.kind === "waiting") this.#atFault("it wrote while nothing was asked");
    else if (!this.#lines.push(chunk, (line) => this.#line(line)))
      this.#atFault(`it wrote a line of more than ${MAX_ANSWER} bytes`);
  }

  #line(line: Buffer): void {
    const state = this.#state;
    if (state.kind === "over") return;
    if (state.kind === "waiting") {
      this.#atFault("it wrote while nothing was asked");
      return;
    }
    const { question } = state;
    const answer = parseAnswer(line);
    if (answer === undefined || answer.id !== question.id) {
      this.#atFault("it wrote what is no answer");
      return;
    }
    if (Object.hasOwn(answer, "error")) {
      this.#atFault(String(answer.error));
      return;
    }
    question.deadline.clear();
    this.#state = { kind: "waiting" };
    question.settle(answer);
  }

  #ended({ cause }: SandboxEnd): void {
    if (this.#state.kind === "over") return;
    const blame = blameForEnd(cause, true);
    const detail = blame.detail.replace("the agent's program", "its program");
    if (blame.kind === "infra") this.#end(new EnvironmentFault(`the environment's box: ${detail}`, { ours: true }));
    else this.#atFault(detail);
  }
}

function parseAnswer(line: Buffer): Record<string, unknown> | undefined {
  try {
    const text = utf8.decode(line);
    if (depth(text) > MAX_DEPTH) return undefined;
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
