/** A match's outcome in words. */
import type { Fault, MatchResult } from "@lanista/arena/result";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { oneLine, printable } from "./terminal.ts";

const EXPLAINED: Readonly<Record<Fault, string>> = {
  start: "could not be loaded, or was not ready in time",
  crash: "ended or raised an error",
  timeout: "took longer than its time",
  cpu: "used more CPU time than it was allowed",
  memory: "used more memory than it was allowed",
  pids: "started more processes than it was allowed",
  output: "wrote more output than it was allowed",
  vram: "used more GPU memory than it was allowed",
  scratch: "wrote more files than it was allowed",
  illegal_action: "played an action that is not legal",
  protocol: "broke the agent protocol",
};

export function explained(fault: Fault): string {
  return EXPLAINED[fault];
}

export const EXIT_OF: Readonly<Record<MatchResult["outcome"]["kind"], ExitCode>> = {
  completed: EXIT.done,
  agent_fault: EXIT.agentFault,
  infra_fault: EXIT.infraFault,
  cancelled: EXIT.interrupted,
};

/** Of a match or a grade. */
export function outcomeExit(result: Unwritten & { readonly outcome: Pick<MatchResult["outcome"], "kind"> }): ExitCode {
  if (result.unwritten.length > 0 && result.outcome.kind !== "cancelled") return EXIT.infraFault;
  return EXIT_OF[result.outcome.kind];
}

type Unwritten = Pick<MatchResult, "unwritten">;

/** A line for each file that could not be written; empty if all were. */
export function unwrittenText({ unwritten }: Unwritten): string {
  return unwritten.map(({ file, error }) => printable(`could not write ${file}: ${error}`)).join("\n");
}

/** Boxes, folders or control groups could not be removed: the result stands. */
export function unclosedText(error: Error): string {
  return `Not everything could be removed (lanista doctor --clean tries again): ${oneLine(error.message)}`;
}

/** One to a few lines: who won, or what went wrong and with whom. */
export function outcomeText(result: MatchResult): string {
  const { outcome, seats } = result;
  const name = (seat: number): string => `${seats[seat]?.agent ?? "?"} (seat ${seat})`;
  switch (outcome.kind) {
    case "completed":
      return winner(result, name);
    case "agent_fault": {
      const guilty = outcome.seats.map(name).join(" and ");
      const detail = outcome.detail.trim().replaceAll("\n", "\n    ");
      return `${guilty} lost by a fault: ${outcome.fault}, which means it ${explained(outcome.fault)}.\n    ${detail}`;
    }
    case "infra_fault":
      return `Nobody lost: the fault is ours or the host's. ${outcome.detail}`;
    case "cancelled":
      return "Cancelled.";
  }
}

function winner({ seats }: MatchResult, name: (seat: number) => string): string {
  if (seats.length === 1) return `${name(0)} scored ${seats[0]!.score}.`;
  const first = seats.flatMap((seat, i) => (seat.rank === 1 ? [i] : []));
  if (first.length === 1) return `${name(first[0]!)} wins.`;
  return first.length === seats.length ? "A draw." : `${first.map(name).join(" and ")} share the first place.`;
}
