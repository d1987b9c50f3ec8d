/** What a validation gives back. */
import type { SandboxStamp } from "@lanista/sandbox/types";
import type { AgentLanguage, BundleErrorCode } from "../agents/types.ts";
import type { Fault } from "../result.ts";

/** What is looked at, in this order. */
export const CHECKS = ["structure", "syntax", "imports", "requirements", "dry_run"] as const;
export type CheckName = (typeof CHECKS)[number];

/** `skipped`: it did not run, because an earlier one made it useless or there is nothing of its kind. */
export type CheckState = "passed" | "warned" | "failed" | "skipped";

/** Findings of the program that looks through the files in a sandbox, and the check each belongs to. */
export const INSPECTION_CODES = {
  syntax: "syntax",
  syntax_warning: "syntax",
  not_read: "imports",
  forbidden: "imports",
  missing_import: "imports",
  dynamic_import: "imports",
  shadows_standard: "imports",
  requirement: "requirements",
} as const satisfies Readonly<Record<string, CheckName>>;
export type InspectionCode = keyof typeof INSPECTION_CODES;

export type FindingCode =
  /** The files were not taken in at all. */
  | `bundle_${BundleErrorCode}`
  | "file_size"
  | "extension"
  | "lines"
  /** The program that looks through the files did not come to its end. */
  | "inspection"
  | InspectionCode
  /** In the dry run: the agent's fault, as it would be in a match. */
  | `fault_${Fault}`
  /** There were more than are listed. */
  | "more";

export interface Finding {
  readonly check: CheckName;
  readonly code: FindingCode;
  /** For people; parts of it were written by the participant, without control characters but for tabs and line breaks. */
  readonly message: string;
  /** Relative to the agent's folder. */
  readonly file?: string;
  /** Counted from 1. */
  readonly line?: number;
  /** The end of what the agent wrote to its log, where it was started. */
  readonly log?: string;
}

/** Advice and early feedback: what keeps an agent from doing harm is the sandbox alone. */
export interface ValidationReport {
  /** No errors. */
  readonly valid: boolean;
  /** At most 100 of each. */
  readonly errors: readonly Finding[];
  readonly warnings: readonly Finding[];
  readonly checks: Readonly<Record<CheckName, CheckState>>;
  /** null where the files were not taken in. */
  readonly agent: {
    readonly name: string;
    /** SHA-256 of the agent's files, hexadecimal. */
    readonly digest: string;
    readonly language: AgentLanguage;
    readonly entry: string;
    readonly bytes: number;
  } | null;
  /** What the files were compiled by, such as python 3.11.2; null where they were not. */
  readonly interpreter: { readonly name: "python" | "node"; readonly version: string } | null;
  /** The box of the dry run, or else of the inspection; null where none was started. */
  readonly sandbox: SandboxStamp | null;
}

const MAX_LINE = 1000;
const MAX_LOG = 400;

/** A finding as one line, `file:line: message`, with the end of its log where that says more; of at most 1000 characters. */
export function findingLine({ file, line, message, log }: Finding): string {
  const place = file === undefined ? "" : line === undefined ? `${file}: ` : `${file}:${line}: `;
  const told =
    log === undefined || message.includes(log.trim()) ? "" : ` | its log ends: ${log.trim().slice(-MAX_LOG)}`;
  const room = MAX_LINE - place.length - told.length;
  const text = message.length <= room ? message : `${message.slice(0, Math.max(0, room - 1))}…`;
  return `${place}${text}${told}`.replace(/\s*\n\s*/g, " | ").slice(0, MAX_LINE);
}
