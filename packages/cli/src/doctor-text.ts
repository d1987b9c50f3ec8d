/** What `lanista doctor` found out, for people: what works, and for the rest what to do. */
import type { HostReport, InterpreterReport, RuntimeReport } from "@lanista/sandbox/doctor";
import type { PackagesReport } from "@lanista/sandbox/python/examine";
import type { Paint } from "./terminal.ts";

/** `removed`: what --clean took away; undefined if it was not asked for. */
export function doctorText(
  report: HostReport,
  packages: PackagesReport,
  removed: readonly string[] | undefined,
  paint: Paint,
): string {
  const fact = (name: string, value: string): string => `${paint("dim", name.padEnd(9))} ${value}`;
  const lines: string[] = [];
  if (removed !== undefined)
    lines.push(removed.length === 0 ? "Nothing was left behind." : `Removed:\n  ${removed.join("\n  ")}`, "");
  lines.push(
    fact("host", `Linux ${report.kernel}, ${report.arch}, ${report.rootless ? "without root" : "as root"}`),
    fact("cgroups", report.cgroup),
    fact("node", interpreter(report.node, paint)),
    fact(
      "python",
      report.python === null
        ? paint("yellow", "none: Python agents cannot be played; on Debian: apt-get install python3")
        : interpreter(report.python, paint),
    ),
    fact("run files", report.runDir),
    fact("packages", packagesText(packages, paint)),
    "",
  );
  for (const tool of report.tools)
    if (tool.path === null)
      lines.push(`${paint("red", "✗")} ${tool.name} is missing; on Debian: apt-get install ${tool.install}`);
  for (const runtime of report.runtimes) lines.push(...runtimeLines(runtime, paint));
  lines.push(
    "",
    report.ready
      ? paint("green", "Ready: matches can be played in the container tier with every limit enforced.")
      : paint("red", "Not ready: no runtime of the container tier works here with every limit enforced."),
  );
  return lines.join("\n");
}

function packagesText({ indexes, folders, uv, uvFrom, problem }: PackagesReport, paint: Paint): string {
  const from = [...indexes, ...folders].join(", ") || "no index and no folder";
  if (problem !== null)
    return `${from}  ${paint("yellow", `agents' and tasks' requirements cannot be installed: ${problem}`)}`;
  return `${from}, by uv ${uv}${uvFrom === "cached" ? "" : ", fetched when it is needed"}`;
}

function interpreter({ version, path, problem }: InterpreterReport, paint: Paint): string {
  return problem === null ? `${version}  ${path}` : `${version}  ${paint("red", problem)}`;
}

function runtimeLines(one: RuntimeReport, paint: Paint): string[] {
  const name = `${one.tier.padEnd(9)} ${one.runtime.padEnd(5)}`;
  if (!one.works) return [`${paint("red", "✗")} ${name}  ${one.problem ?? "does not work"}`];
  const limited = one.unenforceable.length > 0;
  const first = `${limited ? paint("yellow", "!") : paint("green", "✓")} ${name}  ${one.version}, a box in ${one.roundTripMs} ms`;
  if (!limited) return [first];
  return [
    `${first}; refused unless given up (--give-up ${one.unenforceable.map(({ name }) => name).join(",")}):`,
    ...one.unenforceable.map(({ name, why }) => `    ${name}: ${why}`),
  ];
}
