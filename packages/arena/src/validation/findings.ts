/** Collects the findings of a validation, bounded, and what they make of each check. */
import { cleanDetail } from "../seat-fault.ts";
import type { Severity } from "./policy.ts";
import { CHECKS, type CheckName, type CheckState, type Finding } from "./report.ts";

const MAX_FINDINGS = 100;

export class Findings {
  readonly #lists: Record<"error" | "warning", Finding[]> = { error: [], warning: [] };
  readonly #more = { error: 0, warning: 0 };
  readonly #states = new Map<CheckName, CheckState>();

  /** The check has run. */
  ran(check: CheckName): void {
    if (!this.#states.has(check)) this.#states.set(check, "passed");
  }

  add(severity: Severity, finding: Finding): void {
    this.ran(finding.check);
    if (severity === "ignore") return;
    this.#mark(severity, finding.check);
    const list = this.#lists[severity];
    // The last place is for saying how many more there were.
    if (list.length >= MAX_FINDINGS - 1) this.#more[severity]++;
    else list.push({ ...finding, message: cleanDetail(finding.message) });
  }

  /** Some that were not even passed on. */
  leftOut(count: number): void {
    this.#more.warning += count;
  }

  #mark(severity: "error" | "warning", check: CheckName): void {
    const state = severity === "error" ? "failed" : "warned";
    if (this.#states.get(check) !== "failed") this.#states.set(check, state);
  }

  state(check: CheckName): CheckState {
    return this.#states.get(check) ?? "skipped";
  }

  get checks(): Readonly<Record<CheckName, CheckState>> {
    return Object.fromEntries(CHECKS.map((check) => [check, this.state(check)])) as Record<CheckName, CheckState>;
  }

  /** By check, file and line. */
  list(severity: "error" | "warning"): readonly Finding[] {
    const more = this.#more[severity];
    const list = this.#lists[severity].toSorted(
      (a, b) =>
        CHECKS.indexOf(a.check) - CHECKS.indexOf(b.check) ||
        compare(a.file ?? "", b.file ?? "") ||
        (a.line ?? 0) - (b.line ?? 0),
    );
    if (more === 0) return list;
    return [...list, { check: list.at(-1)?.check ?? "imports", code: "more", message: `and ${more} more` }];
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
