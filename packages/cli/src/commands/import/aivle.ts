/**
 * `lanista import aivle`: brings a course over from aiVLE's site, by its API or from CSV files. Everything has a key of its source's
 * here, so that what was cut off goes on when it is run again, and what is here already does not come twice.
 */
import { LanistaError } from "@lanista/api/errors";
import type { SpaceRole } from "@lanista/api/gen/lanista/v1/access_pb";
import { SpaceKind } from "@lanista/api/gen/lanista/v1/spaces_pb";
import type { Task, TaskVersion } from "@lanista/api/gen/lanista/v1/tasks_pb";
import type { OldCourse, OldSource, OldTask } from "@lanista/server/aivle/import/old-course";
import type { OldSite } from "@lanista/server/aivle/import/site-source";
import type { Context } from "../../context.ts";
import { EXIT } from "../../exit-code.ts";
import { startProgress } from "../../progress.ts";
import type { RemoteOptions } from "../../remote/options.ts";
import { rows } from "../../remote/print.ts";
import { remote } from "../../remote/remote.ts";
import { readTokenFile } from "../../remote/token-file.ts";
import { writeJson, writeLine } from "../../terminal.ts";
import { UsageError } from "../../usage-error.ts";
import { patiently } from "./at-server.ts";
import { bringPeople } from "./bring-people.ts";
import { bringSubmissions, submissionsHere } from "./bring-submissions.ts";
import { bringBundles, bringTask, tasksHere, useGrader } from "./bring-tasks.ts";
import type { Bringing } from "./bringing.ts";
import { ImportReport } from "./report.ts";

export interface AivleOptions extends RemoteOptions {
  readonly site?: string;
  readonly csv?: string;
  readonly from?: number;
  readonly people?: string;
  readonly siteTokenFile?: string;
  readonly source?: string;
  readonly points?: number;
  readonly queue?: string;
  readonly open?: true;
  readonly wait: boolean;
  readonly dryRun?: true;
  readonly codes?: string;
  readonly patience: number;
}

export async function importAivle(context: Context, space: string | undefined, options: AivleOptions): Promise<void> {
  const { site, csv, people, from } = options;
  if ((site === undefined) === (csv === undefined)) throw new UsageError("give --site or --csv, where the course is");
  if (csv !== undefined && (people !== undefined || from !== undefined))
    throw new UsageError("--people and --from go with --site: a folder has one course and a people.csv of its own");
  if (csv !== undefined) {
    if (space === undefined) throw new UsageError("name the course of ours that it becomes");
    const { openCsvSource } = await import("@lanista/server/aivle/import/csv-source");
    await bringCourse(context, space, await openCsvSource(csv), options.source ?? "csv", options);
    return;
  }
  const url = siteUrl(site!);
  const { OldSite, SiteSource } = await import("@lanista/server/aivle/import/site-source");
  const { readPeople } = await import("@lanista/server/aivle/import/people-csv");
  const token = await siteToken(context, options);
  const { signal } = context;
  const old = new OldSite({ url: url.href, token, patienceSeconds: options.patience, signal });
  try {
    if (space === undefined || from === undefined) {
      if (space !== undefined)
        throw new UsageError("give --from, the course's id there; without a course they are listed");
      await listCourses(context, old, options);
      return;
    }
    const listed = people === undefined ? [] : await readPeople(people, false);
    const course = (await old.courses()).find(({ id }) => id === from);
    if (course === undefined) throw new UsageError(`the site shows this token no course with the id ${from}`);
    const source = new SiteSource(old, course, listed);
    const label = options.source ?? `${url.host}${url.pathname.replace(/\/api\/v1\/?$/, "").replace(/\/$/, "")}`;
    await bringCourse(context, space, source, label, options);
  } finally {
    await old.close();
  }
}

function siteUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || `${url.search}${url.hash}${url.username}` !== "")
    throw new UsageError(`"${text}" is no address of an API, such as https://aivle.example.org/api/v1`);
  return url;
}

/** Never from the command line, which everybody on the machine can read. */
async function siteToken({ terminal }: Context, { siteTokenFile }: AivleOptions): Promise<string> {
  const { AIVLE_TOKEN, AIVLE_TOKEN_FILE } = terminal.environment;
  const file = siteTokenFile ?? (AIVLE_TOKEN ? undefined : AIVLE_TOKEN_FILE);
  const token = file ? await readTokenFile(file) : AIVLE_TOKEN;
  if (!token) throw new UsageError("no token of the site's: set AIVLE_TOKEN, or give --site-token-file");
  if (!/^[\x21-\x7e]{1,500}$/.test(token)) throw new UsageError("the site's token holds what no token holds");
  return token;
}

async function listCourses({ terminal }: Context, site: OldSite, { json }: AivleOptions): Promise<void> {
  const courses = await site.courses();
  if (json) {
    writeJson(terminal, { courses });
    return;
  }
  const cells = courses.map(({ id, title, semester }) => [String(id), title, semester]);
  writeLine(terminal, rows(["id>", "course", "semester"], cells, "the site shows this token no course"));
}

async function bringCourse(
  context: Context,
  space: string,
  source: OldSource,
  label: string,
  options: AivleOptions,
): Promise<void> {
  if (!/^[\x21-\x7e]{1,100}$/.test(label)) throw new UsageError("--source is a name of 1 to 100 printable characters");
  const client = await remote(context, options);
  const { dryRun = false, points, queue, open = false, wait, codes } = options;
  const report = new ImportReport(space, dryRun);
  const progress = startProgress(context.terminal, "reading the course");
  const wanted = { dryRun, points, queue, open, wait, codes };
  const key: Bringing["key"] = (kind, id) => `aivle:${label}:${kind}:${id}`;
  const bringing: Bringing = { context, client, space, source, key, wanted, report, progress };
  try {
    await bringAll(bringing, await course(bringing, await source.course()));
  } catch (error) {
    progress.end();
    // What is over already stays; the same again goes on.
    if (!context.signal.aborted && report.tasks.length > 0 && !options.json) report.write(context.terminal);
    throw error;
  } finally {
    progress.end();
    await source.close();
  }
  if (options.json) writeJson(context.terminal, report);
  else report.write(context.terminal);
  if (report.left.length > 0) context.exit(EXIT.found);
}

/** The caller's role in it; null: a dry run did not make it. */
async function course({ client, context, report, space, wanted }: Bringing, old: OldCourse): Promise<SpaceRole | null> {
  const there = await patiently(context.signal, () => client.spaces.getSpace({ space })).catch((error: unknown) => {
    if (error instanceof LanistaError && error.code === "not_found") return undefined;
    throw error;
  });
  if (there !== undefined) {
    if (there.space!.kind !== SpaceKind.COURSE) throw new UsageError(`${space} is a competition, not a course`);
    return there.space!.role;
  }
  report.courseMade = true;
  if (wanted.dryRun) return null;
  const { title, year, semester } = old;
  const made = { slug: space, title: title || space, year, semester, kind: SpaceKind.COURSE };
  return (await patiently(context.signal, () => client.spaces.createSpace(made))).space!.role;
}

async function bringAll(bringing: Bringing, mine: SpaceRole | null): Promise<void> {
  const { source, report, progress } = bringing;
  const addresses = await bringPeople(bringing, mine);
  const here = mine === null ? [] : await tasksHere(bringing);
  const keys = mine === null ? new Map<string, string>() : await submissionsHere(bringing);
  const graders: { readonly old: OldTask; readonly task: Task; readonly version: TaskVersion }[] = [];
  for (const old of await source.tasks()) {
    progress.update(`reading task ${old.name}`);
    const submissions = await source.submissions(old);
    const { task, slug, points, made } = await bringTask(bringing, old, submissions, here);
    const counts = { task: old.name, slug, made, brought: 0, changed: 0, unchanged: 0, left: 0 };
    report.tasks.push(counts);
    if (task !== undefined && !bringing.wanted.dryRun) {
      const version = await bringBundles(bringing, old, task);
      if (version !== undefined) graders.push({ old, task, version });
    }
    await bringSubmissions(bringing, { old, task, points, submissions }, addresses, keys, counts);
  }
  for (const { old, task, version } of graders) await useGrader(bringing, old, task, version);
}
