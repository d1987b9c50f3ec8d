import { noopPayload } from "../../jobs/payloads.ts";
import { pause } from "../backoff.ts";
import type { Run, RunEnd } from "./runner.ts";

/** Waits, and ends as it was told to. */
export async function runNoop({ payload, signal }: Run): Promise<RunEnd> {
  const { seconds, end } = noopPayload.parse(payload);
  if (seconds > 0) await pause(seconds * 1000, signal);
  switch (end) {
    case "completed":
      return { outcome: { kind: "completed" }, result: {} };
    case "agent_fault":
      return { outcome: { kind: "agent_fault", seats: [0], fault: "crash", detail: "as it was told to" }, result: {} };
    case "infra_fault":
      return { outcome: { kind: "infra_fault", detail: "as it was told to" }, result: null };
  }
}
