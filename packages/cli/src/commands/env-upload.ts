/** `lanista env upload` and its like: the environments that a space has of its own on a server. */
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { create } from "@bufbuild/protobuf";
import {
  ListSpaceEnvironmentsResponseSchema,
  type SpaceEnvironment,
  SpaceEnvironmentSchema,
  SpaceEnvironment_State as State,
} from "@lanista/api/gen/lanista/v1/environments_pb";
import type { Context } from "../context.ts";
import { EXIT } from "../exit-code.ts";
import { startProgress } from "../progress.ts";
import type { RemoteOptions } from "../remote/options.ts";
import { print } from "../remote/print.ts";
import { firstOf, remote } from "../remote/remote.ts";
import { upload } from "../remote/upload.ts";
import { jobText } from "../remote/words.ts";
import { writeJson, writeLine } from "../terminal.ts";
import { bytesText, plural } from "../units.ts";
import { UsageError } from "../usage-error.ts";
import { zipFolder } from "./course/zip-folder.ts";

export interface UploadOptions extends RemoteOptions {
  readonly space: string;
  readonly queue?: string;
  readonly tier?: string;
}

/** Waits until it was checked. */
export async function envUpload(context: Context, path: string, options: UploadOptions): Promise<void> {
  const { space, queue = "", tier = "" } = options;
  const client = await remote(context, options);
  const zip = await zipFolder(path);
  const progress = startProgress(context.terminal);
  try {
    const uploadId = await upload(client, space, zip, (text) => progress.update(text));
    const made = (await client.environments.addEnvironment({ space, uploadId, queue, tier })).environment!;
    for await (const { job } of client.jobs.watchJob({ jobId: made.jobId }, { signal: context.signal }))
      progress.update(`check: ${jobText(job!)}`);
    const { environment } = await client.environments.getSpaceEnvironment({ environmentId: made.id });
    if (environment!.state === State.REFUSED) context.exit(EXIT.found);
    if (environment!.state === State.FAILED) context.exit(EXIT.infraFault);
    progress.end();
    print(context, options, SpaceEnvironmentSchema, environment!, () => environmentText(environment!));
  } finally {
    progress.end();
  }
}

export async function envUploaded(context: Context, options: RemoteOptions & { space: string }): Promise<void> {
  const client = await remote(context, options);
  const { items: environments, nextPageToken } = await firstOf(
    1000,
    (page) => client.environments.listSpaceEnvironments({ space: options.space, page }),
    (answer) => answer.environments,
  );
  const answer = create(ListSpaceEnvironmentsResponseSchema, { environments, nextPageToken });
  print(context, options, ListSpaceEnvironmentsResponseSchema, answer, () =>
    environments.length === 0 ? "no environments" : environments.map(environmentText).join("\n"),
  );
}

/** The file is written once all of it is here: a cut leaves none. */
export async function envDownload(
  context: Context,
  environmentId: string,
  options: RemoteOptions & { readonly output?: string },
): Promise<void> {
  const { terminal, signal } = context;
  const client = await remote(context, options);
  const pieces: Uint8Array[] = [];
  for await (const { data } of client.environments.downloadEnvironment({ environmentId }, { signal }))
    pieces.push(data);
  const file = resolve(options.output ?? `${environmentId}.zip`);
  const bytes = Buffer.concat(pieces);
  await writeFile(file, bytes).catch((error: unknown) => {
    throw new UsageError(`the bundle cannot be written: ${(error as Error).message}`, { cause: error });
  });
  if (options.json) writeJson(terminal, { environment: environmentId, file, bytes: bytes.byteLength });
  else writeLine(terminal, `Wrote ${file} (${bytesText(bytes.byteLength)}).`);
}

function environmentText({ id, env, version, title, state, seats, findings }: SpaceEnvironment): string {
  const what = env === "" ? "" : `: ${title} (${env} version ${version}), ${plural(seats.length, "seat")}`;
  const lines = [`${id} is ${State[state]?.toLowerCase()}${what}`];
  for (const { check, where, message } of findings)
    lines.push(`    ${check}${where === "" ? "" : `, ${where}`}: ${message}`);
  return lines.join("\n");
}
