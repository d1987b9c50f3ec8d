import { Command } from "commander";
import type { Context } from "../context.ts";
import { addRemoteOptions, type RemoteOptions } from "../remote/options.ts";
import { remote } from "../remote/remote.ts";
import { printable, writeJson } from "../terminal.ts";

interface LogsOptions extends RemoteOptions {
  readonly follow?: true;
}

export function logsCommand(context: Context): Command {
  return addRemoteOptions(new Command("logs"))
    .description("print what a job's agents wrote, as far as it is yours to see")
    .argument("<job>", "the job's id")
    .option("-f, --follow", "go on until the job ended")
    .addHelpText("after", "\nExample:\n  $ lanista logs -f 0195…")
    .action(async (jobId: string, options: LogsOptions) => {
      const client = await remote(context, options);
      const pieces: { seat: number; attempt: number; text: string }[] = [];
      let open = "";
      let before = "";
      const answers = client.jobs.readLog({ jobId, follow: options.follow === true }, { signal: context.signal });
      for await (const { seat, attempt, text } of answers) {
        if (options.json) {
          pieces.push({ seat, attempt, text });
          continue;
        }
        const title = `== seat ${seat}, attempt ${attempt} ==`;
        if (title !== before) context.terminal.stdout.write(`${open}${title}\n`);
        before = title;
        open = text.endsWith("\n") ? "" : "\n";
        context.terminal.stdout.write(printable(text));
      }
      if (options.json) writeJson(context.terminal, { job: jobId, pieces });
      else context.terminal.stdout.write(open);
    });
}
