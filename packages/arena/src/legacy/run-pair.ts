/**
 * One run of a bundle pair. Split: the grader's box runs bootstrap.sh, and each of its processes that imports the agent talks,
 * through this process, to a box of the agent's.
 *
 *   grader.py ── import agent ── proxy ── Unix socket ── grader_side.py ══ frames ══ here ══ frames ══ agent_side.py ── agent.py
 *
 * The first of these processes has, where the box has it, a channel of its own to here, past grader_side.py: that saves each of
 * its questions two of the six times that a process has to be woken.
 *
 * Not split: both bundles' files lie in one box, the grader's on top. Either way the run is over when bootstrap.sh is, or when
 * its time is; whatever still runs is killed.
 *
 * How it fails: what either side does is in the result. A box that the host could not give, or that ended by a fault of its
 * runtime, is `infra`.
 */
import type { Readable } from "node:stream";
import type { Sandbox, SandboxEnd } from "@lanista/sandbox/types";
import { z } from "zod";
import { AgentSession, MOST_OUTPUT } from "./agent-session.ts";
import { BundleLog } from "./bundle-log.ts";
import { agentModules, type BundlePair, oneFolder } from "./bundle-pair.ts";
import { type Frame, FrameReader, jsonFrame, KIND } from "./frames.ts";
import type { BoxKind, LegacyBoxes } from "./legacy-boxes.ts";
import type { LegacyLimits } from "./types.ts";

/** Processes of one grader that may talk to the agent at once, and over a whole run. */
const MOST_SESSIONS = 16;
const MOST_SESSIONS_EVER = 1000;
const DAY = 86_400;

const endSchema = z.strictObject({ code: z.int().optional(), signal: z.int().optional() });

export interface PairRun {
  readonly log: BundleLog;
  readonly split: boolean;
  /** Why it has to be run again in one box; null if it need not. */
  readonly unsplit: string | null;
  readonly timedOut: boolean;
  readonly cancelled: boolean;
  readonly infra: string | null;
  /** What the grader's box did too much of. */
  readonly excess: string | null;
  /** How bootstrap.sh ended; null if it did not get to. */
  readonly exit: { readonly code?: number | undefined; readonly signal?: number | undefined } | null;
  readonly grader: SandboxEnd;
  readonly sessions: readonly AgentSession[];
  readonly calls: number;
  readonly wallSeconds: number;
}

export interface PairRequest {
  readonly boxes: LegacyBoxes;
  readonly kind: BoxKind;
  readonly pair: BundlePair;
  readonly limits: LegacyLimits;
  readonly split: boolean;
  readonly signal?: AbortSignal;
  /** bootstrap.sh has ended, and all that it printed is here; the boxes are still to go. */
  readonly onPrinted?: (log: BundleLog) => void;
}

export async function runPair(request: PairRequest): Promise<PairRun> {
  const { boxes, kind, pair, split } = request;
  const files = split ? pair.grader : await oneFolder(pair);
  const starts = split ? [boxes.take(kind, files), boxes.take(kind, pair.agent)] : [boxes.take(kind, files)];
  const started = await Promise.allSettled(starts);
  const failed = started.find((one) => one.status === "rejected");
  const taken = started.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  if (failed !== undefined) {
    for (const box of taken) box.kill("the other box could not be started");
    await Promise.all(taken.map((box) => box.ended));
    throw failed.reason;
  }
  return await new Run(request, taken[0]!, taken[1]).done();
}

class Run {
  readonly #request: PairRequest;
  readonly #grader: Sandbox;
  #spare: Sandbox | undefined;
  readonly #log = new BundleLog();
  readonly #live = new Map<number, Pick<AgentSession, "ask" | "interrupt" | "close">>();
  readonly #ever: AgentSession[] = [];
  readonly #starting = new Set<Promise<void>>();
  readonly #began = performance.now();
  #unsplit: string | null = null;
  #timedOut = false;
  #cancelled = false;
  #infra: string | null = null;
  #exit: PairRun["exit"] = null;
  #over = false;
  #sessions = 0;
  /** The session that has the grader's second channel to itself. */
  #own: number | undefined;
  #printed = 0;
  #excess: string | null = null;

  constructor(request: PairRequest, grader: Sandbox, spare: Sandbox | undefined) {
    this.#request = request;
    this.#grader = grader;
    this.#spare = spare;
    if (spare !== undefined) this.#tellAgent(spare);
  }

  get #addressSpace(): number | null {
    const { ramBytes } = this.#request.limits;
    return ramBytes === 0 ? null : ramBytes;
  }

  #tellAgent(box: Sandbox): void {
    const start = {
      role: "agent",
      from: box.agentPath,
      addressSpace: this.#addressSpace,
      upstream: this.#request.pair.upstream,
      wire: box.channel !== undefined,
    };
    box.channel?.destroy();
    box.stdin.write(jsonFrame(KIND.start, 0, start));
  }

  async done(): Promise<PairRun> {
    const { pair, split, signal, limits } = this.#request;
    const { stdout, channel } = this.#grader;
    this.#listen(stdout, (one) => this.#onFrame(one));
    if (channel !== undefined) this.#listen(channel, (one) => this.#onOwn(one));
    this.#grader.stderr.on("data", (chunk: Buffer) => this.#log.stderr(chunk));
    this.#grader.stdin.write(
      jsonFrame(KIND.start, 0, {
        role: "grader",
        from: this.#grader.agentPath,
        addressSpace: this.#addressSpace,
        upstream: pair.upstream,
        wire: channel !== undefined,
        modules: split ? agentModules(pair.agent.files) : [],
        files: split ? pair.agent.files.filter((file) => !file.split("/").some((name) => name.startsWith("."))) : [],
      }),
    );
    const timer = this.#clock((limits.runSeconds > 0 ? limits.runSeconds : DAY) * 1000);
    const abort = (): void => {
      this.#cancelled = true;
      this.#stop("cancelled");
    };
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted) abort();
    const grader = await this.#grader.ended;
    timer.stop();
    signal?.removeEventListener("abort", abort);
    this.#over = true;
    if (grader.cause.kind === "runtimeFault") this.#infra ??= grader.cause.detail;
    this.#spare?.kill("nobody asked for it");
    for (const session of this.#live.values()) session.close("the grader has ended");
    await Promise.all(this.#starting);
    for (const session of this.#live.values()) session.close("the grader has ended");
    await Promise.all([this.#spare?.ended, ...this.#ever.map((session) => session.ended)]);
    this.#log.finish();
    return {
      log: this.#log,
      split,
      unsplit: this.#unsplit,
      timedOut: this.#timedOut,
      cancelled: this.#cancelled,
      infra: this.#infra,
      excess: this.#excess,
      exit: this.#exit,
      grader,
      sessions: this.#ever,
      calls: this.#ever.reduce((sum, { calls }) => sum + calls, 0),
      wallSeconds: (performance.now() - this.#began) / 1000,
    };
  }

  /** The run's time. What its boxes stood ready and were not let run is given back, up to as much again. */
  #clock(ms: number): { stop(): void } {
    let timer: NodeJS.Timeout;
    const arm = (left: number): void => {
      timer = setTimeout(() => {
        const used = performance.now() - this.#began;
        const boxes = [this.#grader, ...this.#ever.map(({ box }) => box)];
        const starved = Math.max(...boxes.map((box) => (box.over ? 0 : box.clocks().runDelayMs)));
        const rest = ms + Math.min(starved, ms) - used;
        if (rest > 1) arm(rest);
        else {
          this.#timedOut = true;
          this.#stop("its time is over");
        }
      }, left);
    };
    arm(ms);
    return { stop: () => clearTimeout(timer) };
  }

  #stop(reason: string): void {
    this.#over = true;
    this.#grader.kill(reason);
  }

  #listen(stream: Readable, onFrame: (one: Frame) => void): void {
    const frames = new FrameReader();
    stream.on("data", (chunk: Buffer) => {
      try {
        for (const one of frames.push(chunk)) onFrame(one);
      } catch (error) {
        this.#excess ??= `what the grader's box wrote is not its runner's: ${(error as Error).message}`;
        this.#stop(this.#excess);
      }
    });
  }

  /** Of the one process that has a way of its own. */
  #onOwn(one: Frame): void {
    if (one.kind === KIND.open) this.#own ??= one.session;
    const known = one.kind === KIND.open || one.kind === KIND.ask || one.kind === KIND.interrupt;
    if (one.session !== this.#own || (!known && one.kind !== KIND.unsplit))
      throw new RangeError(`a frame of kind ${one.kind} on a process's own channel`);
    this.#onFrame(one);
  }

  #onFrame(one: Frame): void {
    const { kind, session, payload } = one;
    switch (kind) {
      case KIND.ask:
        this.#live.get(session)?.ask(one);
        break;
      case KIND.stdout:
      case KIND.stderr:
        this.#printed += payload.length;
        if (this.#printed > MOST_OUTPUT) {
          this.#excess = `the grading printed more than ${MOST_OUTPUT} bytes`;
          this.#stop(this.#excess);
        } else if (kind === KIND.stdout) this.#log.stdout(payload);
        else this.#log.stderr(payload);
        break;
      case KIND.interrupt:
        this.#live.get(session)?.interrupt(one);
        break;
      case KIND.open:
        this.#open(session);
        break;
      case KIND.shut:
        this.#live.get(session)?.close("its process of the grader's has ended");
        this.#live.delete(session);
        break;
      case KIND.unsplit:
        this.#unsplit ??= payload.toString("utf8").slice(0, 1000);
        this.#stop("it cannot be split");
        break;
      case KIND.end:
        this.#exit = endSchema.parse(JSON.parse(payload.toString("utf8")));
        this.#log.finish();
        this.#request.onPrinted?.(this.#log);
        this.#stop("it is done");
        break;
      default:
        throw new RangeError(`a frame of kind ${kind}`);
    }
  }

  #open(session: number): void {
    if (!this.#request.split || this.#over) return;
    if (this.#live.size >= MOST_SESSIONS || ++this.#sessions > MOST_SESSIONS_EVER) {
      this.#send(session, jsonFrame(KIND.gone, session, { code: 1 }));
      this.#log.stderr(Buffer.from(`lanista: more than ${MOST_SESSIONS} processes use the agent at once\n`));
      return;
    }
    const spare = this.#spare;
    this.#spare = undefined;
    if (spare !== undefined) {
      this.#attach(session, spare);
      return;
    }
    // Until its box is there, what its process asks waits in this session's stead.
    const waiting: Frame[] = [];
    const nobody = {
      ask: (one: Frame) => {
        if (waiting.push(one) > 1) throw new RangeError("a question before the last one's answer");
      },
      interrupt: () => {},
      close: () => {},
    };
    this.#live.set(session, nobody);
    const { boxes, kind, pair } = this.#request;
    const starting: Promise<void> = boxes.take(kind, pair.agent).then(
      (box) => {
        this.#starting.delete(starting);
        this.#tellAgent(box);
        const asked = this.#live.has(session) && !this.#over;
        const made = this.#attach(session, box);
        if (!asked) {
          this.#live.delete(session);
          made.close("nobody asks it any more");
        }
        for (const one of waiting) made.ask(one);
      },
      (error: unknown) => {
        this.#starting.delete(starting);
        this.#infra ??= `a box for the agent could not be started: ${(error as Error).message}`;
        this.#stop("infra");
      },
    );
    this.#starting.add(starting);
  }

  #attach(session: number, box: Sandbox): AgentSession {
    const made = new AgentSession(
      box,
      () => session,
      (data) => this.#send(session, data),
      (end) => {
        if (end.cause.kind !== "runtimeFault") return;
        this.#infra ??= end.cause.detail;
        this.#stop("infra");
      },
    );
    this.#live.set(session, made);
    this.#ever.push(made);
    return made;
  }

  #send(session: number, data: Buffer): void {
    if (this.#over) return;
    const { channel, stdin } = this.#grader;
    (session === this.#own && channel !== undefined ? channel : stdin).write(data);
  }
}
