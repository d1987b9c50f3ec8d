/** `lanista submit --task`: hands in, and waits for the grade. */
import type { LanistaClient } from "@lanista/api/client";
import {
  TaskSubmission_State as State,
  type TaskSubmission,
  TaskSubmissionSchema,
} from "@lanista/api/gen/lanista/v1/grades_pb";
import { zipAgent } from "@lanista/arena/agents/zip-agent";
import type { Context } from "../../context.ts";
import { EXIT } from "../../exit-code.ts";
import { startProgress } from "../../progress.ts";
import type { RemoteOptions } from "../../remote/options.ts";
import { print } from "../../remote/print.ts";
import { handed } from "../../remote/upload.ts";
import { jobText } from "../../remote/words.ts";
import { submissionLine } from "./submission-text.ts";

export async function handIn(
  context: Context,
  client: LanistaClient,
  agent: string,
  name: string,
  options: RemoteOptions & { readonly wait: boolean },
): Promise<void> {
  const zip = await zipAgent(agent);
  const { task } = await client.tasks.getTask({ task: name });
  const progress = startProgress(context.terminal);
  const tell = (text: string): void => progress.update(text);
  try {
    const bundle = await handed(client, task!.spaceId, zip, tell);
    let submission = (await client.grades.handIn({ taskId: task!.id, bundle })).submission!;
    if (options.wait) submission = await graded(context, client, submission, tell);
    progress.end();
    if (submission.state === State.FAILED) context.exit(EXIT.infraFault);
    else if (submission.state === State.GRADED) {
      const { grade } = await client.grades.getGrade({ submissionId: submission.id });
      if (grade!.outcome === "agent_fault") context.exit(EXIT.agentFault);
    }
    print(context, options, TaskSubmissionSchema, submission, () =>
      [submissionLine(submission), `submission ${submission.id}, job ${submission.jobId}`].join("\n"),
    );
  } finally {
    progress.end();
  }
}

async function graded(
  context: Context,
  client: LanistaClient,
  submission: TaskSubmission,
  tell: (text: string) => void,
): Promise<TaskSubmission> {
  for await (const { job } of client.jobs.watchJob({ jobId: submission.jobId }, { signal: context.signal }))
    tell(`grading: ${jobText(job!)}`);
  return (await client.grades.getTaskSubmission({ submissionId: submission.id })).submission!;
}
