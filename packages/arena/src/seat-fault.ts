/** How the end of a box becomes a fault of its seat, or ours. */
import type { Cause } from "@lanista/sandbox/types";
import type { Fault, Outcome } from "./result.ts";

export type Blame =
  | { readonly kind: "fault"; readonly fault: Fault; readonly detail: string }
  | { readonly kind: "infra"; readonly detail: string };

const MAX_DETAIL = 2000;

/** A participant's text made fit for a result: bounded, of whole characters, and without such as could steer a terminal. */
export function cleanDetail(text: string): string {
  const cut = text.length > MAX_DETAIL ? `${text.slice(0, MAX_DETAIL)}… (cut)` : text;
  return cleanText(cut);
}

/** Of whole characters, and without such as could steer a terminal. */
export function cleanText(text: string): string {
  const whole = text.toWellFormed();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is taken out
  return whole.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
}

export interface BoxFailure {
  readonly seat: number;
  readonly detail: string;
}

/**
 * The outcome of a failure of ours, in one box or several. A seat is named only where its box alone failed: what breaks
 * every box is the host, and says nothing of any agent.
 */
export function failureOfOurs(failures: readonly BoxFailure[]): Outcome {
  const detail = cleanDetail(failures.map((failure) => failure.detail).join("; "));
  const alone = failures.length === 1 ? { seat: failures[0]!.seat } : {};
  return { kind: "infra_fault", detail, ...alone };
}

/** `ready`: whether the agent had answered `start`; before that an exit is a failure to start. */
export function blameForEnd(cause: Cause, ready: boolean): Blame {
  const death = ready ? "crash" : "start";
  switch (cause.kind) {
    case "exit":
      return { kind: "fault", fault: death, detail: `the agent's program ended with status ${cause.code}` };
    case "signal":
      return { kind: "fault", fault: death, detail: `the agent's program was ended by ${cause.signal}` };
    case "wallTime":
      return { kind: "fault", fault: "timeout", detail: "the sandbox's wall time was used up" };
    case "cpuTime":
      return { kind: "fault", fault: "cpu", detail: "the sandbox's CPU time was used up" };
    case "memory":
      return { kind: "fault", fault: "memory", detail: "the sandbox's memory limit was reached" };
    case "pids":
      return { kind: "fault", fault: "pids", detail: "the sandbox's limit of processes and threads was reached" };
    case "output":
      return { kind: "fault", fault: "output", detail: "the sandbox's output limit was reached" };
    case "vram":
      return { kind: "fault", fault: "vram", detail: "the GPU memory limit was reached" };
    case "scratch":
      return { kind: "fault", fault: "scratch", detail: "the sandbox's scratch space was used up" };
    case "killed":
      return { kind: "infra", detail: `the sandbox was killed from outside the match: ${cause.reason}` };
    case "runtimeFault":
      return { kind: "infra", detail: cleanDetail(`the sandbox's runtime failed: ${cause.detail}`) };
  }
}
