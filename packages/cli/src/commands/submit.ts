import { basename, extname } from "node:path";
import type { LanistaClient } from "@lanista/api/client";
import { type Submission, Submission_State, SubmissionSchema } from "@lanista/api/gen/lanista/v1/submissions_pb";
import { zipAgent } from "@lanista/arena/agents/zip-agent";
import { Command } from "commander";
import type { Context } from "../context.ts";
import { EXIT } from "../exit-code.ts";
import { startProgress } from "../progress.ts";
import { addRemoteOptions, type RemoteOptions } from "../remote/options.ts";
import { print } from "../remote/print.ts";
import { remote } from "../remote/remote.ts";
import { handed } from "../remote/upload.ts";
import { jobText, remarks, submissionText } from "../remote/words.ts";
import { UsageError } from "../usage-error.ts";

interface SubmitOptions extends RemoteOptions {
  readonly ladder?: string;
  readonly task?: string;
  readonly name?: string;
  readonly wait: boolean;
}

export function submitCommand(context: Context): Command {
  return addRemoteOptions(new Command("submit"))
    .description("hand an agent in for a ladder or a course's task, and wait until it is validated or graded")
    .argument("<agent>", "a file, folder or .zip")
    .option("--ladder <ladder>", "the ladder, as SPACE/LADDER or by its id")
    .option("--task <task>", "the task, as COURSE/TASK or by its id")
    .option("--name <name>", "the agent's name on the ladder (default: the file's)")
    .option("--no-wait", "do not wait for the validation or grade")
    .addHelpText(
      "after",
      "\nEnds with 1 if the agent was rejected, with 3 if it was at fault in a case of the task.\n\nExamples:\n  $ lanista submit my-agent.py --ladder winter/connect-four\n  $ lanista submit my-agent --task cs1/lake",
    )
    .action((agent: string, options: SubmitOptions) => submit(context, agent, options));
}

async function submit(context: Context, agent: string, options: SubmitOptions): Promise<void> {
  if ((options.ladder === undefined) === (options.task === undefined))
    throw new UsageError("say what it is handed in for: --ladder or --task");
  const client = await remote(context, options);
  if (options.task !== undefined) {
    const { handIn } = await import("./course/hand-in.ts");
    return await handIn(context, client, agent, options.task, options);
  }
  const zip = await zipAgent(agent);
  const { ladder } = await client.ladders.getLadder({ ladder: options.ladder ?? "" });
  const progress = startProgress(context.terminal);
  try {
    const bundle = await handed(client, ladder!.spaceId, zip, (text) => progress.update(text));
    const name = options.name ?? basename(agent, extname(agent)).replace(/[^A-Za-z0-9._ -]/g, "-");
    let submission = (await client.submissions.submit({ ladderId: ladder!.id, agent: name, bundle })).submission!;
    if (options.wait) submission = await validated(context, client, submission, (text) => progress.update(text));
    progress.end();
    if (submission.state === Submission_State.REJECTED) context.exit(EXIT.found);
    if (submission.state === Submission_State.FAILED) context.exit(EXIT.infraFault);
    print(context, options, SubmissionSchema, submission, () =>
      [
        `${submission.agentName}, version ${submission.versionNumber}: ${submissionText(submission)}`,
        ...remarks(submission),
        `submission ${submission.id}, job ${submission.jobId}`,
      ].join("\n"),
    );
  } finally {
    progress.end();
  }
}

async function validated(
  context: Context,
  client: LanistaClient,
  submission: Submission,
  tell: (text: string) => void,
): Promise<Submission> {
  for await (const { job } of client.jobs.watchJob({ jobId: submission.jobId }, { signal: context.signal }))
    tell(`validation: ${jobText(job!)}`);
  return (await client.submissions.getSubmission({ submissionId: submission.id })).submission!;
}
