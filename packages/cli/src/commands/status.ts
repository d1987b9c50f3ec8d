import { create } from "@bufbuild/protobuf";
import { type Job, JobSchema, ListJobsResponseSchema } from "@lanista/api/gen/lanista/v1/jobs_pb";
import { Command } from "commander";
import type { Context } from "../context.ts";
import { startProgress } from "../progress.ts";
import { addRemoteOptions, type RemoteOptions } from "../remote/options.ts";
import { print, rows } from "../remote/print.ts";
import { remote } from "../remote/remote.ts";
import { jobText, outcomeText, timeText } from "../remote/words.ts";
import { note } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

interface StatusOptions extends RemoteOptions {
  readonly space?: string;
  readonly all?: true;
  readonly watch?: true;
}

export function statusCommand(context: Context): Command {
  return addRemoteOptions(new Command("status"))
    .description("say how jobs stand: why one waits, where it runs, how it ended")
    .argument("[job]", "a job's id (default: the newest of yours in --space)")
    .option("--space <space>", "list the jobs of this space")
    .option("--all", "everybody's, for organisers")
    .option("--watch", "go on until the job ended, a line for every change")
    .addHelpText("after", "\nExamples:\n  $ lanista status --space winter\n  $ lanista status 0195… --watch")
    .action((id: string | undefined, options: StatusOptions) => status(context, id, options));
}

async function status(context: Context, id: string | undefined, options: StatusOptions): Promise<void> {
  const client = await remote(context, options);
  if (id === undefined) {
    if (options.watch) throw new UsageError("--watch needs a job's id");
    if (options.space === undefined) throw new UsageError("give a job's id, or --space to list its jobs");
    const { jobs } = await client.jobs.listJobs({ space: options.space, all: options.all === true });
    print(context, options, ListJobsResponseSchema, create(ListJobsResponseSchema, { jobs }), () =>
      rows(
        ["job", "kind", "queue", "since", "state"],
        jobs.map((job) => [job.id, job.kind, job.queue, timeText(job.createdAt), jobText(job)]),
        "no jobs",
      ),
    );
    return;
  }
  if (!options.watch) {
    const { job } = await client.jobs.getJob({ jobId: id });
    print(context, options, JobSchema, job!, () => jobPage(job!));
    return;
  }
  let last: Job | undefined;
  const progress = startProgress(context.terminal);
  try {
    let said = "";
    for await (const { job } of client.jobs.watchJob({ jobId: id }, { signal: context.signal })) {
      last = job;
      const text = jobText(job!);
      if (context.terminal.stderr.isTTY) progress.update(text);
      else if (text !== said) note(context.terminal, text);
      said = text;
    }
  } finally {
    progress.end();
  }
  if (last !== undefined) print(context, options, JobSchema, last, () => jobPage(last));
}

function jobPage(job: Job): string {
  const attempts = job.attempts.map((attempt) => [
    String(attempt.number),
    attempt.workerName,
    timeText(attempt.startedAt),
    timeText(attempt.endedAt),
    outcomeText(attempt.outcome),
  ]);
  const lines = [
    `${job.kind} ${job.id} in ${job.queue}: ${jobText(job)}`,
    `handed in ${timeText(job.createdAt)}, started ${timeText(job.startedAt)}, ended ${timeText(job.endedAt)}`,
  ];
  if (job.wait !== undefined && job.wait.workers.length > 0) lines.push(`could run on: ${job.wait.workers.join(", ")}`);
  if (attempts.length > 0) lines.push("", rows(["attempt>", "worker", "from", "to", "outcome"], attempts, ""));
  return lines.join("\n");
}
