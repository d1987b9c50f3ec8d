/**
 * A program in a box that is asked one question at a time: whoever is graded, or a task's judge. The box, the conversation with it,
 * its clock and its log; as a seat of a match has them, without an environment.
 */
import { SandboxError } from "@lanista/sandbox/errors";
import type { Sandbox, Usage } from "@lanista/sandbox/types";
import { BundleError } from "../../agents/types.ts";
import { Channel } from "../../channel.ts";
import type { Contender } from "../../contender.ts";
import type { HostClock } from "../../host-clock.ts";
import type { Dialect } from "../../json-answer.ts";
import { PROTOCOL } from "../../messages.ts";
import type { Reply } from "../../reply.ts";
import { SeatClock } from "../../seat-clock.ts";
import { cleanDetail } from "../../seat-fault.ts";
import { SeatLog } from "../../seat-log.ts";
import { within } from "../../within.ts";

/** How long a program may take to leave once its input is closed, and its log to end. */
const LEAVE_MS = 50;
const LOG_MS = 200;

export interface ProgramTime {
  readonly startSeconds: number;
  readonly moveSeconds: number;
  readonly bankSeconds: number;
}

export interface ProgramParts {
  readonly contender: Contender;
  readonly host: HostClock;
  readonly dialect: Dialect;
  readonly time: ProgramTime;
}

export class Program {
  readonly sandbox: Sandbox;
  readonly log: SeatLog;
  readonly #channel: Channel;
  readonly #parts: ProgramParts;
  #thoughtMs = 0;
  /** When the open question was asked. */
  #askedAt: number | undefined;
  asked = 0;

  private constructor(sandbox: Sandbox, parts: ProgramParts) {
    const { host, dialect, time } = parts;
    this.sandbox = sandbox;
    this.log = new SeatLog(sandbox.stderr);
    const clock = new SeatClock(time.moveSeconds * 1000, time.bankSeconds * 1000);
    this.#channel = new Channel(sandbox, host, clock, { freezes: false, dialect });
    this.#parts = parts;
  }

  /** Opens its box; a reply is why that cannot be. Throws SandboxError `refused`. */
  static async open(parts: ProgramParts): Promise<Program | Reply> {
    try {
      return new Program(await parts.contender.open(), parts);
    } catch (error) {
      if (error instanceof BundleError)
        return { kind: "fault", fault: "start", detail: cleanDetail(error.message), dead: true, thinkMs: 0 };
      if (error instanceof SandboxError && error.code === "refused") throw error;
      return { kind: "infra", detail: cleanDetail(`its box could not be started: ${String(error)}`) };
    }
  }

  /** Tells it what it is for, and waits until it is ready. */
  async start(about: Readonly<Record<string, unknown>>): Promise<Reply> {
    const { contender, time } = this.#parts;
    const line = JSON.stringify({
      type: "start",
      protocol: PROTOCOL,
      ...about,
      agent_dir: this.sandbox.agentPath,
      entry: contender.entry,
      limits: { start_seconds: time.startSeconds, move_seconds: time.moveSeconds, bank_seconds: time.bankSeconds },
    });
    return await this.#timed(this.#channel.start(`${line}\n`, time.startSeconds * 1000));
  }

  /** Asks; the reply is an `answer`, or what came in its place. `json`: members of the message, written as JSON. */
  async ask(type: string, json: string): Promise<Reply> {
    this.asked++;
    return await this.#timed(
      this.#channel.ask((id) => `{"type":"${type}","id":${id}${json === "" ? "" : `,${json}`}}\n`),
    );
  }

  async #timed(reply: Promise<Reply>): Promise<Reply> {
    this.#askedAt = performance.now();
    const said = await reply;
    this.#thoughtMs = this.thoughtMs;
    this.#askedAt = undefined;
    return said;
  }

  /** How long it was waited for, until now: its start, and from each question to its end. In milliseconds. */
  get thoughtMs(): number {
    return this.#thoughtMs + (this.#askedAt === undefined ? 0 : performance.now() - this.#askedAt);
  }

  cancel(): void {
    this.#channel.cancel();
  }

  /** Ends the box and waits until nothing of it is left. `gently`: with a moment to leave by itself. */
  async close(gently: boolean): Promise<Usage> {
    this.#channel.cancel();
    if (gently) {
      this.sandbox.stdin.end();
      await within(this.sandbox.ended, LEAVE_MS);
    }
    this.sandbox.kill("the case is over");
    const { usage } = await this.sandbox.ended;
    await within(this.log.closed, LOG_MS);
    return usage;
  }
}
