/** A course's results, and what staff take away as files. */
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { create } from "@bufbuild/protobuf";
import type { LanistaClient } from "@lanista/api/client";
import { ListResultsResponseSchema } from "@lanista/api/gen/lanista/v1/grades_pb";
import { z } from "zod";
import type { Context } from "../../context.ts";
import type { RemoteOptions } from "../../remote/options.ts";
import { print, rows } from "../../remote/print.ts";
import { pages, placeAndToken, remote } from "../../remote/remote.ts";
import { writeJson, writeLine } from "../../terminal.ts";
import { scoreText } from "../../units.ts";
import { UsageError } from "../../usage-error.ts";
import { type Sub, TASK } from "./sub.ts";

interface ResultOptions extends RemoteOptions {
  readonly all?: true;
  readonly csv?: string;
}

export function courseResults(context: Context, sub: Sub): void {
  sub("results", "show your points, or everybody's", "results cs1 --csv results.csv")
    .argument("<course>", "its short name or id")
    .option("--all", "everybody's, for staff")
    .option("--csv <file>", "write everybody's into this new file, for staff")
    .action(async (course: string, options: ResultOptions) => {
      if (options.csv === undefined) return await show(context, course, options);
      const { space } = await (await remote(context, options)).spaces.getSpace({ space: course });
      await save(context, `${space!.slug}/results.csv`, options.csv, options);
    });

  sub("download", "take all that was handed in for a task away as one zip", "download cs1/lake lake.zip")
    .argument("<task>", TASK)
    .argument("<file>", "a new file")
    .option("--every", "all that each student handed in, not only the last")
    .action(async (name: string, file: string, options: RemoteOptions & { every?: true }) => {
      const client = await remote(context, options);
      const path = await taskPath(client, name);
      await save(context, `${path}/submissions.zip${options.every ? "?all=1" : ""}`, file, options);
    });
}

async function show(context: Context, space: string, options: ResultOptions): Promise<void> {
  const client = await remote(context, options);
  const all = create(ListResultsResponseSchema);
  for await (const answer of pages((page) => client.grades.listResults({ space, all: options.all === true, page })))
    all.students.push(...answer.students);
  const tasks = all.students[0]?.tasks ?? [];
  print(context, options, ListResultsResponseSchema, all, () =>
    rows(
      ["name", "group", ...tasks.map(({ taskSlug, outOf }) => `${taskSlug} (${scoreText(outOf)})>`), "total>"],
      all.students.map((student) => [
        student.name,
        student.group,
        ...student.tasks.map(({ points }) => scoreText(points ?? null)),
        scoreText(student.total),
      ]),
      "no students",
    ),
  );
}

async function taskPath(client: LanistaClient, name: string): Promise<string> {
  const task = (await client.tasks.getTask({ task: name })).task!;
  const space = (await client.spaces.getSpace({ space: task.spaceId })).space!;
  return `${space.slug}/${task.slug}`;
}

const refusal = z.object({ message: z.string() });

/** A half file is not left behind, and none is written over. */
async function save(context: Context, path: string, file: string, options: RemoteOptions): Promise<void> {
  const { url, token } = await placeAndToken(context, options);
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`${url}/courses/${path}`, { headers, signal: context.signal });
  if (!answer.ok || answer.body === null) {
    const said = refusal.safeParse(await answer.json().catch(() => null)).data;
    throw new UsageError(`the server refused it: ${said?.message ?? `status ${answer.status}`}`);
  }
  const target = createWriteStream(file, { flags: "wx", mode: 0o600 });
  try {
    await pipeline(Readable.fromWeb(answer.body as Parameters<typeof Readable.fromWeb>[0]), target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") throw new UsageError(`${file} is there already`);
    await rm(file, { force: true });
    throw error;
  }
  if (options.json) writeJson(context.terminal, { file, bytes: target.bytesWritten });
  else writeLine(context.terminal, `${file}: ${target.bytesWritten} bytes`);
}
