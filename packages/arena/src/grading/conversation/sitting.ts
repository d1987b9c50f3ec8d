/**
 * One case without an environment: programs in boxes of their own, an end, and whatever was opened closed again.
 *
 * Theory of operation. The first of the programs is whoever is graded, the second, if there is one, the judge. All boxes are opened
 * at once; `drive` then asks them what it has to. The case's own time ends the conversation wherever it stands: it is a fault of the
 * agent's only if more than half of that time was spent waiting for it, so nobody saves himself by being slow, and nobody
 * falls over the time that a judge took. A box that fails by our doing gets another try, a bounded number of times.
 */
import type { Usage } from "@lanista/sandbox/types";
import { HostClock } from "../../host-clock.ts";
import type { Reply } from "../../reply.ts";
import type { MatchStamp } from "../../result.ts";
import { type CaseEnd, endByAgent, endByJudge } from "../case-end.ts";
import { Program, type ProgramParts } from "./program.ts";
import { Transcript } from "./transcript.ts";

const ATTEMPTS = 3;

export interface SittingRequest {
  readonly agent: Omit<ProgramParts, "host">;
  readonly judge?: Omit<ProgramParts, "host">;
  readonly caseSeconds: number;
  readonly signal?: AbortSignal;
  readonly drive: (table: SittingTable) => Promise<CaseEnd>;
}

export interface SittingTable {
  readonly agent: Program;
  readonly judge: Program | undefined;
  readonly transcript: Transcript;
}

export interface SittingRecord {
  readonly end: CaseEnd;
  readonly transcript: { readonly text: string; readonly hash: string };
  /** Of the agent; null where its box did not come to life. */
  readonly usage: Usage | null;
  readonly stamp: MatchStamp | null;
  readonly asked: number;
  readonly log: Buffer;
  readonly judgeLog: Buffer;
}

/** Throws SandboxError `refused`. */
export async function holdSitting(request: SittingRequest): Promise<SittingRecord> {
  const until = performance.now() + request.caseSeconds * 1000;
  const host = new HostClock();
  try {
    for (let attempt = 1; ; attempt++) {
      const record = await new Sitting(request, host, until).hold();
      const { end } = record;
      const again = end.kind === "infra_fault" && end.again && !request.signal?.aborted && performance.now() < until;
      if (!again || attempt === ATTEMPTS) return record;
    }
  } finally {
    host.close();
  }
}

class Sitting {
  readonly #request: SittingRequest;
  readonly #host: HostClock;
  readonly #until: number;
  readonly #transcript = new Transcript();
  readonly #programs: { agent?: Program; judge?: Program } = {};
  #end: CaseEnd | undefined;

  constructor(request: SittingRequest, host: HostClock, until: number) {
    this.#request = request;
    this.#host = host;
    this.#until = until;
  }

  async hold(): Promise<SittingRecord> {
    const { signal } = this.#request;
    const cancel = (): void => this.#stop({ kind: "cancelled", detail: null });
    const timer = setTimeout(() => this.#outOfTime(), Math.min(this.#until - performance.now(), 2 ** 31 - 1));
    signal?.addEventListener("abort", cancel);
    if (signal?.aborted) cancel();
    try {
      const end = this.#end ?? (await this.#play());
      // What has come in between counts: the case's own time, a cancel.
      this.#end ??= end;
    } catch (error) {
      await this.#close();
      throw error;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", cancel);
    }
    const usage = await this.#close();
    return this.#record(usage);
  }

  /** The first end counts; what is still being asked for is answered with `cancelled`. */
  #stop(end: CaseEnd): void {
    this.#end ??= end;
    for (const program of Object.values(this.#programs)) program.cancel();
  }

  #outOfTime(): void {
    const { caseSeconds } = this.#request;
    const { agent } = this.#programs;
    const seconds = (agent?.thoughtMs ?? 0) / 1000;
    const waited = `the case was not over in its ${caseSeconds} seconds, of which the agent took ${seconds.toFixed(1)}`;
    this.#stop(
      seconds > caseSeconds / 2
        ? { kind: "agent_fault", fault: "timeout", detail: waited }
        : { kind: "infra_fault", detail: `${waited}, no more than its part`, again: false },
    );
  }

  async #play(): Promise<CaseEnd> {
    const { agent, judge, drive } = this.#request;
    const open = async (
      parts: Omit<ProgramParts, "host"> | undefined,
      who: "agent" | "judge",
    ): Promise<Reply | null> => {
      if (parts === undefined) return null;
      const opened = await Program.open({ ...parts, host: this.#host });
      if (!(opened instanceof Program)) return opened;
      this.#programs[who] = opened;
      return null;
    };
    const opened = await Promise.allSettled([open(agent, "agent"), open(judge, "judge")]);
    for (const one of opened) if (one.status === "rejected") throw one.reason;
    const [byAgent, byJudge] = opened.map((one) => (one as PromiseFulfilledResult<Reply | null>).value);
    if (this.#end !== undefined) return this.#end;
    // A fault of the agent's does not depend on the judge's box.
    if (byAgent) return endByAgent(byAgent);
    if (byJudge) return endByJudge(byJudge);
    return await drive({
      agent: this.#programs.agent!,
      judge: this.#programs.judge,
      transcript: this.#transcript,
    });
  }

  async #close(): Promise<Usage | null> {
    const gently = this.#end?.kind === "completed";
    const { agent, judge } = this.#programs;
    const [usage = null] = await Promise.all([agent?.close(gently), judge?.close(gently)]);
    return usage;
  }

  #record(usage: Usage | null): SittingRecord {
    const { agent, judge } = this.#programs;
    const stamp = agent?.sandbox.stamp;
    const { root: _, ...stamped } = stamp ?? { root: undefined };
    return {
      end: this.#end!,
      transcript: this.#transcript.finish(),
      usage,
      stamp: stamp === undefined ? null : (stamped as MatchStamp),
      asked: agent?.asked ?? 0,
      log: agent?.log.content() ?? Buffer.alloc(0),
      judgeLog: judge?.log.content() ?? Buffer.alloc(0),
    };
  }
}
