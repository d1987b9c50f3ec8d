/** The report of a conformance kit, for people. */
import { type Paint, printable } from "./terminal.ts";
import { plural } from "./units.ts";

/** `meanings`: what each check is, by its name. */
export function findingsText(
  name: string,
  findings: readonly { readonly check: string; readonly detail: string; readonly where: string }[],
  paint: Paint,
  meanings: Readonly<Record<string, string>>,
): string {
  const checks = Object.keys(meanings);
  const lines = checks.flatMap((check) => {
    const found = findings.find((finding) => finding.check === check);
    const line = `${found === undefined ? paint("green", "✓") : paint("red", "✗")} ${check.padEnd(14)} ${meanings[check]}`;
    return found === undefined
      ? [line]
      : [line, `      ${printable(found.detail)}`, `      ${paint("dim", found.where)}`];
  });
  const verdict =
    findings.length === 0
      ? paint("green", `${name} conforms.`)
      : paint(
          "red",
          `${name} does not conform: ${plural(findings.length, "check")} of ${checks.length} found something.`,
        );
  return [...lines, "", verdict].join("\n");
}
