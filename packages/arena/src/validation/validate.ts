/**
 * Theory of operation. `validateAgent` says whether an agent would do: its files' structure, whether they compile, what they
 * import and require, and whether it answers one question of an environment by a legal action.
 *
 *   path ── prepareAgent ──> files of ours ──┬── structure.ts: names, sizes, lines, counted here
 *                                            ├── inspect.ts: a box, in which the files are data to the interpreter
 *                                            └── dry-run.ts: another box, in which the agent runs as in a match
 *
 * It is advice and early feedback, and never the security boundary: what is forbidden to a file's words can be had by other
 * words, and only the sandbox keeps an agent from harm. So the verdict is made here, of what the boxes did and said, each thing
 * said being bounded and strictly parsed; nothing of the agent runs where the files are looked through.
 *
 * How it fails: what the participant did wrong is a finding; what the host did wrong is thrown, and is no verdict.
 */
import { rm } from "node:fs/promises";
import { extname } from "node:path";
import type { SandboxHost } from "@lanista/sandbox/host";
import type { SandboxStamp } from "@lanista/sandbox/types";
import { prepareAgent } from "../agents/prepare.ts";
import { BundleError, type PreparedAgent } from "../agents/types.ts";
import type { Playable } from "../episodes/built-in.ts";
import { dryRun } from "./dry-run.ts";
import { Findings } from "./findings.ts";
import { INSPECTION_SECONDS, inspectFiles, type ValidationBox, type ValidationBoxes } from "./inspect.ts";
import type { InspectionFinding } from "./inspection-lines.ts";
import type { Severity, ValidationPolicy } from "./policy.ts";
import { type FindingCode, INSPECTION_CODES, type InspectionCode, type ValidationReport } from "./report.ts";
import { checkStructure, filesOf } from "./structure.ts";

export interface ValidationRequest {
  /** A file, a folder or a .zip. */
  readonly path: string;
  readonly env: Playable;
  readonly policy: ValidationPolicy;
  readonly host: SandboxHost;
  /** As for a match: tier, runtime, limits, what is given up, interpreters, the folder of runners. */
  readonly boxes: ValidationBoxes;
  /** The agent's files are copied into a folder in here, and removed at the end. */
  readonly workDir: string;
  /** For the agent to get ready, and for its one move. Defaults 30 and 5. */
  readonly startSeconds?: number;
  readonly moveSeconds?: number;
  /** For looking through the files. Default 60. */
  readonly inspectSeconds?: number;
  readonly signal?: AbortSignal;
  /** The program of one of its boxes has said its first word, so many milliseconds after the box was asked for. Must not throw. */
  readonly onReady?: (box: ValidationBox, milliseconds: number) => void;
}

/**
 * Validates an agent. Throws BundleError `not_found` where there is nothing at the path, InterpreterMissingError,
 * SandboxError (`refused`: this host cannot enforce what was asked for; `fault`: its own fault), an EnvironmentFault of a bundled environment,
 * and the signal's reason.
 */
export async function validateAgent(request: ValidationRequest): Promise<ValidationReport> {
  request.signal?.throwIfAborted();
  const findings = new Findings();
  const agent = await takeIn(request, findings);
  if (agent === undefined) return reportOf(findings, null, null, null);
  try {
    return await validatePrepared(request, agent, findings);
  } finally {
    await rm(agent.dir, { recursive: true, force: true });
  }
}

async function takeIn(request: ValidationRequest, findings: Findings): Promise<PreparedAgent | undefined> {
  const { path, policy, workDir } = request;
  try {
    return await prepareAgent(path, { workDir, limits: { totalBytes: policy.maxTotalBytes } });
  } catch (error) {
    if (!(error instanceof BundleError) || error.code === "not_found") throw error;
    findings.add("error", { check: "structure", code: `bundle_${error.code}`, message: error.message });
    return undefined;
  }
}

async function validatePrepared(
  request: ValidationRequest,
  agent: PreparedAgent,
  findings: Findings,
): Promise<ValidationReport> {
  const { policy, env, host, boxes, signal, onReady } = request;
  const files = await filesOf(agent);
  await checkStructure(agent, files, policy, findings);
  let stamp: SandboxStamp | null = null;
  let interpreter: ValidationReport["interpreter"] = null;
  // Files of a wrong size are not handed on.
  if (findings.state("structure") !== "failed") {
    const inspected = await inspect(request, agent, files, findings);
    interpreter = inspected?.interpreter ?? null;
    stamp = inspected?.stamp ?? null;
    if (policy.dryRun && findings.state("syntax") !== "failed") {
      const { startSeconds = 30, moveSeconds = 5 } = request;
      const run = await dryRun({ agent, env, host, boxes, startSeconds, moveSeconds, signal, onReady });
      stamp = run.stamp;
      findings.ran("dry_run");
      if (run.wrong !== undefined) {
        const { fault, detail, log } = run.wrong;
        findings.add("error", { check: "dry_run", code: `fault_${fault}`, message: detail, log });
      }
    }
  }
  return reportOf(findings, agent, interpreter, stamp);
}

const ENDINGS = { python: [".py"], javascript: [".js", ".mjs", ".cjs"] } as const;
const REQUIREMENTS = "requirements.txt";

async function inspect(
  request: ValidationRequest,
  agent: PreparedAgent,
  files: readonly string[],
  findings: Findings,
): Promise<{ interpreter: ValidationReport["interpreter"]; stamp: SandboxStamp } | undefined> {
  const { language } = agent;
  // What an executable is made of nobody knows.
  if (language === "executable") return undefined;
  const { policy, host, boxes, signal, onReady, inspectSeconds: seconds = INSPECTION_SECONDS } = request;
  const endings: readonly string[] = ENDINGS[language];
  const sources = files.filter((file) => endings.includes(extname(file)));
  const requirements = language === "python" && files.includes(REQUIREMENTS) ? REQUIREMENTS : null;
  const { lines, broken, stamp } = await inspectFiles({
    agent,
    language,
    files: sources,
    requirements,
    forbidden: policy.forbidden === "ignore" ? [] : policy.forbiddenImports,
    host,
    boxes,
    seconds,
    signal,
    onReady,
  });
  findings.ran("syntax");
  findings.ran("imports");
  if (requirements !== null) findings.ran("requirements");
  for (const finding of lines.findings) addInspected(findings, finding, policy);
  findings.leftOut(lines.leftOut);
  if (broken !== undefined) {
    const place = lines.current === undefined ? {} : { file: lines.current };
    findings.add("error", { check: "syntax", code: "inspection", ...place, message: broken });
  }
  const name = language === "python" ? "python" : "node";
  return { interpreter: lines.version === undefined ? null : { name, version: lines.version }, stamp };
}

function addInspected(findings: Findings, finding: InspectionFinding, policy: ValidationPolicy): void {
  const { code, file, line, message } = finding;
  findings.add(severityOf(code, policy), {
    check: INSPECTION_CODES[code],
    code: code satisfies FindingCode,
    file,
    ...(line === undefined ? {} : { line }),
    message: code === "forbidden" ? `${message}, which the policy forbids` : message,
  });
}

function severityOf(code: InspectionCode, policy: ValidationPolicy): Severity {
  switch (code) {
    case "syntax":
      return "error";
    case "forbidden":
      return policy.forbidden;
    case "dynamic_import":
      return policy.forbidden === "ignore" || policy.forbiddenImports.length === 0 ? "ignore" : "warning";
    case "missing_import":
      return policy.missingImports;
    case "requirement":
      return policy.requirements;
    case "syntax_warning":
    case "not_read":
    case "shadows_standard":
      return "warning";
  }
}

function reportOf(
  findings: Findings,
  agent: PreparedAgent | null,
  interpreter: ValidationReport["interpreter"],
  sandbox: SandboxStamp | null,
): ValidationReport {
  const errors = findings.list("error");
  return {
    valid: errors.length === 0,
    errors,
    warnings: findings.list("warning"),
    checks: findings.checks,
    agent:
      agent === null
        ? null
        : {
            name: agent.name,
            digest: agent.digest,
            language: agent.language,
            entry: agent.entry,
            bytes: agent.bytes,
          },
    interpreter,
    sandbox,
  };
}
