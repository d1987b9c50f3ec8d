/** One seat of a running match: its box, the conversation with it, and what is counted for it. */
import type { Sandbox, Usage } from "@lanista/sandbox/types";
import { Channel } from "./channel.ts";
import type { Contender } from "./contender.ts";
import type { Episodes } from "./episodes/episodes.ts";
import type { HostClock } from "./host-clock.ts";
import { actionDialect } from "./json-answer.ts";
import type { MatchPlan } from "./match-plan.ts";
import { actLine, episodeEndLine, startLine } from "./messages.ts";
import type { FaultReply, Reply } from "./reply.ts";
import type { Fault } from "./result.ts";
import { SeatClock } from "./seat-clock.ts";
import { SeatLog } from "./seat-log.ts";
import { seatSeed } from "./seeds.ts";
import { within } from "./within.ts";

/** How long an agent may take to leave once its input is closed. */
const LEAVE_MS = 50;
/** How long the last of its log is waited for after its end: a child that escaped could hold the pipe for ever. */
const LOG_MS = 200;

export type FaultKinds = Partial<Record<Fault, number>>;

export class Seat {
  readonly index: number;
  readonly sandbox: Sandbox;
  readonly log: SeatLog;
  readonly faultKinds: FaultKinds = {};
  /** What the first fault was, for people; null where there was none. */
  firstFault: string | null = null;
  /** What the seat earned since it was last asked, in this episode. */
  unseenReward = 0;
  /** From its questions to its answers, in the steps that were made. */
  thoughtMs = 0;
  readonly #channel: Channel;
  readonly #startLine: string;
  readonly #startMs: number;

  constructor(index: number, contender: Contender, sandbox: Sandbox, plan: MatchPlan, host: HostClock) {
    this.index = index;
    this.sandbox = sandbox;
    const { source, onLog } = plan;
    this.log = new SeatLog(sandbox.stderr, onLog === undefined ? undefined : (chunk) => onLog(index, chunk));
    const clock = new SeatClock(plan.moveSeconds * 1000, plan.bankSeconds * 1000);
    this.#channel = new Channel(sandbox, host, clock, {
      freezes: plan.whileWaiting === "freeze",
      dialect: actionDialect(source.views[index]!.action),
    });
    this.#startMs = plan.startSeconds * 1000;
    this.#startLine = startLine({
      source,
      seat: index,
      seed: seatSeed(plan.seed, index),
      agentPath: sandbox.agentPath,
      entry: contender.entry,
      startMs: this.#startMs,
      moveMs: clock.moveMs,
      bankMs: clock.bankMs,
    });
  }

  start(): Promise<Reply> {
    return this.#channel.start(this.#startLine, this.#startMs);
  }

  /** Asks for the seat's action where the episode stands. Whether it is legal is not looked at. */
  ask(episodes: Episodes, episode: number): Promise<Reply> {
    const seen = episodes.observation(this.index);
    const mask = episodes.mask(this.index);
    const reward = this.unseenReward;
    this.unseenReward = 0;
    const { steps } = episodes;
    return this.#channel.ask((id) => actLine(id, episode, steps, seen, mask, reward));
  }

  /** A fault that has come to light while the seat was not asked; the next `ask` answers with it. */
  get latentFault(): FaultReply | undefined {
    return this.#channel.latentFault;
  }

  /** What every further question gets, once none can be answered: the fault is the seat's, or ours, or nobody's. */
  get over(): Reply | undefined {
    return this.#channel.over;
  }

  episodeEnd(episode: number, total: number, terminated: boolean, truncated: boolean): void {
    this.#channel.tell(episodeEndLine(episode, this.unseenReward, total, terminated, truncated));
    this.unseenReward = 0;
  }

  cancel(): void {
    this.#channel.cancel();
  }

  count(fault: Fault, detail: string): void {
    this.firstFault ??= detail;
    this.faultKinds[fault] = (this.faultKinds[fault] ?? 0) + 1;
  }

  get faults(): number {
    return Object.values(this.faultKinds).reduce((sum, count) => sum + count, 0);
  }

  /** Ends the box and waits until nothing of it is left. `gently`: with a moment to leave by itself. */
  async close(gently: boolean): Promise<Usage> {
    this.#channel.cancel();
    if (gently) {
      this.sandbox.thaw();
      this.sandbox.stdin.end();
      await within(this.sandbox.ended, LEAVE_MS);
    }
    this.sandbox.kill("the match is over");
    const { usage } = await this.sandbox.ended;
    await within(this.log.closed, LOG_MS);
    return usage;
  }
}
