import { create } from "@bufbuild/protobuf";
import type { LanistaClient } from "@lanista/api/client";
import { type Job, Job_State, JobSchema, ListJobsResponseSchema } from "@lanista/api/gen/lanista/v1/jobs_pb";
import { Command, InvalidArgumentError, Option } from "commander";
import type { Context } from "../context.ts";
import { integer } from "../option-values.ts";
import { startProgress } from "../progress.ts";
import { addRemoteOptions, type RemoteOptions } from "../remote/options.ts";
import { print, rows } from "../remote/print.ts";
import { firstOf, remote } from "../remote/remote.ts";
import { jobText, outcomeText, timeText } from "../remote/words.ts";
import { note } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

interface StatusOptions extends RemoteOptions {
  readonly space?: string;
  readonly all?: true;
  readonly watch?: true;
  readonly state?: readonly Job_State[];
  readonly limit: number;
}

const STATES: Readonly<Record<string, Job_State>> = {
  waiting: Job_State.WAITING,
  running: Job_State.RUNNING,
  ended: Job_State.ENDED,
  dead: Job_State.DEAD,
};

function state(text: string, before: readonly Job_State[] = []): readonly Job_State[] {
  const found = STATES[text];
  if (found === undefined) throw new InvalidArgumentError(`Give one of ${Object.keys(STATES).join(", ")}.`);
  return [...before, found];
}

export function statusCommand(context: Context): Command {
  return addRemoteOptions(new Command("status"))
    .description("say how jobs stand: why one waits, where it runs, how it ended")
    .argument("[job]", "a job's id (default: your jobs are listed, newest first)")
    .option("--space <space>", "list those of this space alone")
    .option("--all", "everybody's, for organisers of --space; without it for administrators")
    .addOption(
      new Option(
        "--state <state>",
        "only those that are waiting, running, ended or dead (set aside after faults of ours); may be repeated",
      ).argParser(state),
    )
    .option("--limit <n>", "so many", integer(1, 100_000), 50)
    .option("--watch", "go on until the job ended, a line for every change")
    .addHelpText(
      "after",
      "\nExamples:\n  $ lanista status\n  $ lanista status --space winter --all --state dead\n  $ lanista status 0195… --watch",
    )
    .action((id: string | undefined, options: StatusOptions) => status(context, id, options));
}

async function status(context: Context, id: string | undefined, options: StatusOptions): Promise<void> {
  if (id === undefined && options.watch) throw new UsageError("--watch needs a job's id");
  const client = await remote(context, options);
  if (id === undefined) return await list(context, client, options);
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

async function list(context: Context, client: LanistaClient, options: StatusOptions): Promise<void> {
  const wanted = { space: options.space ?? "", all: options.all === true, states: options.state ?? [] };
  const { items: jobs, nextPageToken } = await firstOf(
    options.limit,
    (page) => client.jobs.listJobs({ ...wanted, states: [...wanted.states], page }),
    (answer) => answer.jobs,
  );
  const answer = create(ListJobsResponseSchema, { jobs, nextPageToken });
  print(context, options, ListJobsResponseSchema, answer, () =>
    rows(
      ["job", "kind", "queue", "since", "state"],
      jobs.map((job) => [job.id, job.kind, job.queue, timeText(job.createdAt), jobText(job)]),
      "no jobs",
    ),
  );
  if (nextPageToken !== "") note(context.terminal, "There are more: --limit.");
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
