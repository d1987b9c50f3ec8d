import { cleanHost, examineHost } from "@lanista/sandbox/doctor";
import { examinePackages, type PackagesReport } from "@lanista/sandbox/python/examine";
import { Command } from "commander";
import type { Context } from "../context.ts";
import { doctorText } from "../doctor-text.ts";
import { EXIT } from "../exit-code.ts";
import { startProgress } from "../progress.ts";
import { painter, writeJson, writeLine } from "../terminal.ts";

export function doctorCommand(context: Context): Command {
  return new Command("doctor")
    .description("try what this host can do: each tier, each runtime, each limit, the package index")
    .option("--clean", "first remove what killed runs left behind: folders and control groups")
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      `
Ends with 1 if no match can be played in the container tier with every limit enforced.

Example:
  $ lanista doctor`,
    )
    .action(async (options: { clean?: true; json?: true }) => {
      const { terminal } = context;
      const progress = startProgress(terminal, "Trying what this host can do…");
      let removed: Awaited<ReturnType<typeof cleanHost>> | undefined;
      let report: Awaited<ReturnType<typeof examineHost>>;
      let packages: PackagesReport;
      try {
        removed = options.clean ? await cleanHost() : undefined;
        report = await examineHost();
        packages = await examinePackages();
      } finally {
        progress.end();
      }
      if (!report.ready) context.exit(EXIT.found);
      if (options.json) writeJson(terminal, { ...report, packages, ...(removed === undefined ? {} : { removed }) });
      else writeLine(terminal, doctorText(report, packages, removed, painter(terminal, terminal.stdout)));
    });
}
