import { createHash } from "node:crypto";
import { basename, extname } from "node:path";
import type { LanistaClient } from "@lanista/api/client";
import { fromWire } from "@lanista/api/errors";
import { type Submission, Submission_State, SubmissionSchema } from "@lanista/api/gen/lanista/v1/submissions_pb";
import { zipAgent } from "@lanista/arena/agents/zip-agent";
import { Command } from "commander";
import type { Context } from "../context.ts";
import { EXIT } from "../exit-code.ts";
import { startProgress } from "../progress.ts";
import { addRemoteOptions, type RemoteOptions } from "../remote/options.ts";
import { print } from "../remote/print.ts";
import { remote } from "../remote/remote.ts";
import { jobText, remarks, submissionText } from "../remote/words.ts";
import { bytesText } from "../units.ts";

interface SubmitOptions extends RemoteOptions {
  readonly ladder: string;
  readonly name?: string;
  readonly wait: boolean;
}

/** What travels inside the request; more goes up in parts. */
const INLINE = 2 * 1024 * 1024;
const PART = 1024 * 1024;

export function submitCommand(context: Context): Command {
  return addRemoteOptions(new Command("submit"))
    .description("hand an agent in for a ladder, and wait until it is validated")
    .argument("<agent>", "a file, folder or .zip")
    .requiredOption("--ladder <ladder>", "the ladder, as SPACE/LADDER or by its id")
    .option("--name <name>", "the agent's name on the ladder (default: the file's)")
    .option("--no-wait", "do not wait for the validation")
    .addHelpText(
      "after",
      "\nEnds with 1 if the agent was rejected.\n\nExample:\n  $ lanista submit my-agent.py --ladder winter/connect-four",
    )
    .action((agent: string, options: SubmitOptions) => submit(context, agent, options));
}

async function submit(context: Context, agent: string, options: SubmitOptions): Promise<void> {
  const client = await remote(context, options);
  const zip = await zipAgent(agent);
  const { ladder } = await client.ladders.getLadder({ ladder: options.ladder });
  const progress = startProgress(context.terminal);
  try {
    const bundle =
      zip.byteLength <= INLINE
        ? { case: "zip" as const, value: zip }
        : {
            case: "uploadId" as const,
            value: await upload(client, ladder!.spaceId, zip, (text) => progress.update(text)),
          };
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

/** In parts, going on where a cut left it. */
async function upload(
  client: LanistaClient,
  space: string,
  bytes: Buffer,
  tell: (text: string) => void,
): Promise<string> {
  const digest = createHash("sha256").update(bytes).digest("hex");
  let { upload: state } = await client.agents.createUpload({ space, digest, sizeBytes: BigInt(bytes.byteLength) });
  for (let failures = 0; !state!.complete; ) {
    const offset = Number(state!.offset);
    tell(`uploading: ${bytesText(offset)} of ${bytesText(bytes.byteLength)}`);
    try {
      const data = bytes.subarray(offset, offset + PART);
      state = (await client.agents.uploadPart({ uploadId: state!.id, offset: BigInt(offset), data })).upload;
      failures = 0;
    } catch (error) {
      const { code } = fromWire(error);
      if ((code !== "unavailable" && code !== "internal") || ++failures > 5) throw error;
      await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** failures));
      state = (await client.agents.getUpload({ uploadId: state!.id })).upload;
    }
  }
  return state!.id;
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
