/** The kind `validate`: structure, words and one move of an agent. What the participant did wrong is in the result. */
import type { Playable } from "@lanista/arena/episodes/built-in";
import { parsePolicy } from "@lanista/arena/validation/policy";
import { findingLine } from "@lanista/arena/validation/report";
import { validateAgent } from "@lanista/arena/validation/validate";
import { type ValidatePayload, type ValidateResult, validatePayload } from "../../jobs/payloads.ts";
import { traceSandbox } from "../../ops/tracing.ts";
import { environmentsEnd, withEnvironment } from "../bundled-source.ts";
import type { Workshop } from "../workshop.ts";
import type { Run, RunEnd } from "./runner.ts";

const MOST = 100;
const MAX_TEXT = 1000;

/** Throws what makes this worker unable to do it. */
export async function runValidate(run: Run, workshop: Workshop): Promise<RunEnd> {
  const payload = validatePayload.parse(run.payload);
  try {
    return await withEnvironment(run, workshop, payload, (env) => validated(run, workshop, payload, env));
  } catch (error) {
    return environmentsEnd(error);
  }
}

async function validated(run: Run, workshop: Workshop, payload: ValidatePayload, env: Playable): Promise<RunEnd> {
  const boxes = workshop.boxOptions(payload);
  const report = await workshop.withBundle(run, payload.bundle, (path) =>
    validateAgent({
      path,
      env,
      policy: parsePolicy(payload.policy ?? {}),
      host: workshop.host,
      boxes,
      workDir: workshop.workDir,
      startSeconds: payload.startSeconds,
      moveSeconds: payload.actSeconds,
      signal: run.signal,
      onReady: (box, milliseconds) => {
        workshop.meter.started({ tier: boxes.tier, phase: "ready", milliseconds });
        traceSandbox(run.span, box === "dry_run" ? "dry run" : box, boxes.tier, milliseconds);
      },
    }),
  );
  const lines = (findings: typeof report.errors): string[] =>
    findings.slice(0, MOST).map((finding) => findingLine(finding).slice(0, MAX_TEXT));
  const result: ValidateResult = {
    valid: report.valid,
    errors: lines(report.errors),
    warnings: lines(report.warnings),
  };
  return { outcome: { kind: "completed" }, result };
}
