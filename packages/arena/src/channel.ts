/**
 * One seat's conversation with its agent.
 *
 * Theory of operation. The channel owns the seat's clock and the reading of the box's standard output; nothing the agent
 * says gets past it but what its dialect lets through: a number, a list of numbers, or in tasks any JSON. It is in one of three states: waiting, asking (one question open, one deadline
 * armed) and over (every further question gets the same reply). Bytes are read as they come, whatever the state, so an answer that nobody asked for is seen
 * when it arrives. The ids of questions are random, so that no answer can be sent ahead.
 *
 * A question ends by the first of: an answer, something that is no answer, the end of the box, the deadline (deadline.ts, which
 * gives the host's part in a delay back), the end of the match.
 */
import type { Sandbox, SandboxEnd } from "@lanista/sandbox/types";
import { ClockSamples } from "./clock-samples.ts";
import { CpuLedger } from "./cpu-ledger.ts";
import { Deadline } from "./deadline.ts";
import type { HostClock } from "./host-clock.ts";
import type { AgentMessage, Dialect } from "./json-answer.ts";
import { LineReader } from "./line-reader.ts";
import { QuestionIds } from "./question-ids.ts";
import type { FaultReply, Reply } from "./reply.ts";
import type { Fault } from "./result.ts";
import type { SeatClock } from "./seat-clock.ts";
import { blameForEnd, cleanDetail } from "./seat-fault.ts";

/** How long the last words of a box that has ended are waited for. */
const SETTLE_MS = 100;
/** How long the end of a box that closed its output is waited for: an end that a limit brought says more than a crash. */
const CLOSED_MS = 400;
/** How long a box may take to end whose program is gone: what holds it up then is its runtime. */
const GONE_MS = 30_000;
/** Lines that nobody asked for, over a whole match that goes on after faults: reading them costs the host time. */
const MAX_STRAY_LINES = 1000;
/** Bytes of questions that may wait for an agent to read them. */
const MAX_UNREAD = 256 * 1024;

export interface ChannelOptions {
  /** The box stands still while its seat is not to move, instead of being charged. */
  readonly freezes: boolean;
  /** What may be answered. */
  readonly dialect: Dialect;
}

interface Question {
  /** null: the question is `start`. */
  readonly id: number | null;
  readonly deadline: Deadline;
  readonly settle: (reply: Reply) => void;
}

type State =
  | { readonly kind: "waiting" }
  | { readonly kind: "asking"; readonly question: Question }
  /** `reply` is what every further question gets. */
  | { readonly kind: "over"; readonly reply: Reply };

export class Channel {
  readonly #sandbox: Sandbox;
  readonly #host: HostClock;
  readonly #clock: SeatClock;
  readonly #freezes: boolean;
  readonly #dialect: Dialect;
  readonly #lines: LineReader;
  readonly #samples: ClockSamples;
  readonly #ids = new QuestionIds();
  #ledger: CpuLedger | undefined;
  /** Questions that ended in a fault, whose answers may still come. */
  readonly #given = new Set<number>();
  #latent: FaultReply | undefined;
  #stray = 0;
  #boxEnd: SandboxEnd | undefined;
  #outputClosed = false;
  #state: State = { kind: "waiting" };

  constructor(sandbox: Sandbox, host: HostClock, clock: SeatClock, { freezes, dialect }: ChannelOptions) {
    this.#sandbox = sandbox;
    this.#host = host;
    this.#clock = clock;
    this.#freezes = freezes;
    this.#dialect = dialect;
    this.#lines = new LineReader(dialect.maxLine);
    this.#samples = new ClockSamples(sandbox, host);
    sandbox.stdin.on("error", () => {}); // A closed pipe means that the program is ending: its end says why.
    sandbox.stdout.on("error", () => {});
    sandbox.stdout.on("data", (chunk: Buffer) => this.#read(chunk));
    sandbox.stdout.on("close", () => this.#closed());
    void sandbox.ended.then((end) => this.#ended(end));
  }

  /** A fault that has come to light while nothing was asked; the next `ask` answers with it. */
  get latentFault(): FaultReply | undefined {
    return this.#latent;
  }

  /** What every further question gets, once none can be answered. */
  get over(): Reply | undefined {
    return this.#state.kind === "over" ? this.#state.reply : undefined;
  }

  /** Sends `start` and waits for `ready`. `limitMs` is for this alone: the seat's clock does not run yet. */
  start(line: string, limitMs: number): Promise<Reply> {
    return this.#ask(null, line, limitMs);
  }

  /** Asks for a move; `line` makes the question from its id. */
  async ask(line: (id: number) => string): Promise<Reply> {
    if (this.#state.kind === "over") return this.#state.reply;
    if (this.#latent !== undefined) {
      const fault = this.#latent;
      this.#latent = undefined;
      return fault;
    }
    if (this.#freezes) this.#sandbox.thaw();
    this.#ledger?.turnBegins(this.#host.now());
    if (!this.#freezes) this.#clock.charge(this.#ledger?.takeCharge() ?? 0);
    const allowance = this.#clock.allowanceMs;
    if (allowance <= 0) {
      const ms = Math.round(this.#clock.chargedMs);
      const detail = `used ${ms} ms of CPU time while it was not to move, more than its clock had left`;
      this.#clock.spend(0);
      this.#ledger?.turnEnds(this.#host.now());
      return { kind: "fault", fault: "cpu", detail, dead: false, thinkMs: 0 };
    }
    const id = this.#ids.next();
    const reply = await this.#ask(id, line(id), allowance);
    this.#ledger?.turnEnds(this.#host.now());
    if (this.#freezes && this.#isWaiting()) this.#sandbox.freeze();
    return reply;
  }

  /** Sends a line that needs no answer. */
  tell(line: string): void {
    if (this.#state.kind === "over") return;
    // A frozen agent reads it when it is thawed: until then it lies in the pipe, or here.
    this.#sandbox.stdin.write(line);
  }

  /** Answers the open question, and each further one, with `cancelled`. */
  cancel(): void {
    this.#finish({ kind: "cancelled" });
  }

  #ask(id: number | null, line: string, allowanceMs: number): Promise<Reply> {
    const state = this.#state;
    if (state.kind === "over") return Promise.resolve(state.reply);
    if (state.kind === "asking") throw new Error("a question is still open");
    return new Promise((resolve) => {
      const deadline = new Deadline({
        host: this.#host,
        samples: this.#samples,
        allowanceMs,
        isReady: () => this.#boxEnd === undefined && this.#sandbox.runnable(),
        onLate: () => this.#late(),
        onStarved: (detail) => this.#finish({ kind: "infra", detail }),
      });
      this.#state = { kind: "asking", question: { id, deadline, settle: resolve } };
      this.#sandbox.stdin.write(line);
    });
  }

  #isWaiting(): boolean {
    return this.#state.kind === "waiting";
  }

  #late(): void {
    const state = this.#state;
    if (state.kind !== "asking") return;
    if (this.#boxEnd === undefined && this.#sandbox.over) {
      this.#awaitEnd();
      return;
    }
    const { id, deadline } = state.question;
    const half = this.#lines.midLine ? " (half a line had come)" : "";
    const ms = Math.round(deadline.allowanceMs);
    if (id === null && !this.#sandbox.programUp) {
      this.#finish({ kind: "infra", detail: `the host had not started the agent's program within ${ms} ms` });
      return;
    }
    if (id === null) {
      this.#end("start", `not ready within ${ms} ms${half}`);
      return;
    }
    const charged = Math.round(this.#clock.chargedMs);
    this.#clock.spend(Number.POSITIVE_INFINITY);
    if (this.#sandbox.stdin.writableLength > MAX_UNREAD) {
      this.#end("timeout", `no answer within ${ms} ms, and has not read its input for long`);
      return;
    }
    // Where a good part of the clock went to CPU time used in others' time, that is what it fell over.
    if (charged * 10 >= ms + charged) {
      this.#fault("cpu", `no answer within ${ms} ms, all that was left after ${charged} ms charged`);
      return;
    }
    this.#fault("timeout", `no answer within ${ms} ms${half}`);
  }

  #read(chunk: Buffer): void {
    if (this.#state.kind === "over") return;
    if (!this.#lines.push(chunk, (line) => this.#line(line))) {
      this.#end("protocol", `wrote a line of more than ${this.#dialect.maxLine} bytes`);
      return;
    }
    // Bytes that nobody asked for are at fault before their line is whole; it may never be.
    if (this.#state.kind === "waiting" && this.#lines.midLine && this.#given.size === 0) this.#unasked();
  }

  #line(line: Buffer): void {
    const state = this.#state;
    if (state.kind === "over") return;
    const message = this.#dialect.parse(line);
    if (
      (message.kind === "action" || message.kind === "answer" || message.kind === "error") &&
      message.id !== null &&
      this.#given.delete(message.id)
    )
      return; // The answer to a question that had ended in a fault; it was counted then.
    if (state.kind === "waiting") {
      this.#unasked();
      return;
    }
    if (state.question.id === null) this.#startReply(state.question, message);
    else this.#actReply(state.question, message);
  }

  #unasked(): void {
    if (++this.#stray > MAX_STRAY_LINES) {
      this.#end("protocol", `wrote more than ${MAX_STRAY_LINES} lines while nothing was asked`);
      return;
    }
    this.#latent ??= {
      kind: "fault",
      fault: "protocol",
      detail: "wrote while nothing was asked",
      dead: false,
      thinkMs: 0,
    };
  }

  #startReply(question: Question, message: AgentMessage): void {
    if (message.kind === "ready") {
      this.#ledger = new CpuLedger(this.#samples, this.#sandbox.stamp.limits.cpus);
      this.#answer(question, { kind: "ready" });
      if (this.#freezes) this.#sandbox.freeze();
    } else if (message.kind === "error" && message.id === null) {
      this.#end("start", `the agent could not be loaded: ${cleanDetail(message.text)}`);
    } else this.#end("protocol", `answered start with ${describe(message)}`);
  }

  #actReply(question: Question, message: AgentMessage): void {
    if (message.kind === "refused" || message.kind === "ready") {
      this.#fault("protocol", `answered with ${describe(message)}`);
      return;
    }
    if (message.id !== question.id) {
      this.#fault("protocol", "answered with an id that is not the question's");
      return;
    }
    const thinkMs = question.deadline.elapsedMs;
    // Within the move's own time nobody asks whose fault a delay was.
    this.#clock.spend(thinkMs <= this.#clock.moveMs ? thinkMs : question.deadline.usedMs);
    if (message.kind === "action") this.#answer(question, { kind: "action", action: message.action, thinkMs });
    else if (message.kind === "answer") this.#answer(question, { kind: "answer", value: message.value, thinkMs });
    else {
      const detail = `the agent reported an error: ${cleanDetail(message.text)}`;
      this.#answer(question, { kind: "fault", fault: "crash", detail, dead: false, thinkMs });
    }
  }

  #answer(question: Question, reply: Reply): void {
    question.deadline.clear();
    this.#state = { kind: "waiting" };
    question.settle(reply);
  }

  /** Ends the open question alone: a match that substitutes moves may go on asking. */
  #fault(fault: Fault, detail: string): void {
    const state = this.#state;
    if (state.kind !== "asking") return;
    const { question } = state;
    if (question.id !== null) this.#given.add(question.id);
    const thinkMs = question.deadline.elapsedMs;
    this.#answer(question, { kind: "fault", fault, detail, dead: false, thinkMs });
  }

  /** Ends the conversation. */
  #end(fault: Fault, detail: string): void {
    const state = this.#state;
    const thinkMs = state.kind === "asking" ? state.question.deadline.elapsedMs : 0;
    this.#finish({ kind: "fault", fault, detail, dead: true, thinkMs });
  }

  #finish(reply: Reply): void {
    const state = this.#state;
    if (state.kind === "over") return;
    this.#state = { kind: "over", reply };
    if (state.kind !== "asking") return;
    state.question.deadline.clear();
    state.question.settle(reply);
  }

  get #wasReady(): boolean {
    return this.#ledger !== undefined;
  }

  /** The output is closed: either the program is ending, and its end will say more, or it can never answer again. */
  #closed(): void {
    this.#outputClosed = true;
    if (this.#boxEnd !== undefined) {
      this.#blame(this.#boxEnd);
      return;
    }
    setTimeout(() => {
      if (this.#boxEnd !== undefined) return;
      if (this.#sandbox.over) this.#awaitEnd();
      else this.#end(this.#wasReady ? "crash" : "start", "closed its standard output");
    }, CLOSED_MS).unref();
  }

  /** Its program is gone, and until all is cleared up nobody knows of what: a host that is slow there may be the very cause. */
  #awaitEnd(): void {
    setTimeout(() => {
      if (this.#boxEnd === undefined) this.#sandbox.kill("its runtime did not end with its program");
    }, GONE_MS).unref();
  }

  /** The box has ended; its last words may still be in the pipe, or the pipe be held open by nobody we know. */
  #ended(end: SandboxEnd): void {
    this.#boxEnd = end;
    if (this.#outputClosed) {
      this.#blame(end);
      return;
    }
    setTimeout(() => this.#blame(end), SETTLE_MS).unref();
  }

  #blame(end: SandboxEnd): void {
    const blame = blameForEnd(end.cause, this.#wasReady);
    if (blame.kind === "infra") this.#finish({ kind: "infra", detail: blame.detail });
    else this.#end(blame.fault, blame.detail);
  }
}

function describe(message: AgentMessage): string {
  if (message.kind === "refused") return message.why;
  return message.kind === "ready" ? `"ready"` : `an "${message.kind}"`;
}
