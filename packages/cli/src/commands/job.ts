import { JobSchema } from "@lanista/api/gen/lanista/v1/jobs_pb";
import { Command } from "commander";
import type { Context } from "../context.ts";
import { addRemoteOptions, type RemoteOptions } from "../remote/options.ts";
import { print } from "../remote/print.ts";
import { remote } from "../remote/remote.ts";
import { jobText } from "../remote/words.ts";

export function jobCommand(context: Context): Command {
  const job = new Command("job").description("jobs: cancel one, put one back (see also status and logs)");

  addRemoteOptions(job.command("cancel"))
    .description("stop a job where it is: a waiting one never starts, a running one's sandboxes are killed")
    .argument("<job>", "its id")
    .addHelpText("after", "\nExample:\n  $ lanista job cancel 0195…")
    .action(async (jobId: string, options: RemoteOptions) => {
      const answer = await (await remote(context, options)).jobs.cancelJob({ jobId });
      print(context, options, JobSchema, answer.job!, () => jobText(answer.job!));
    });

  addRemoteOptions(job.command("retry"))
    .description("put a job that was set aside after faults of ours back into its queue, for organisers")
    .argument("<job>", "its id")
    .addHelpText("after", "\nExample:\n  $ lanista job retry 0195…")
    .action(async (jobId: string, options: RemoteOptions) => {
      const answer = await (await remote(context, options)).jobs.retryJob({ jobId });
      print(context, options, JobSchema, answer.job!, () => jobText(answer.job!));
    });

  return job;
}
