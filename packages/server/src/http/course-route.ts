/** `/courses/SPACE/results.csv` and `/courses/SPACE/TASK/submissions.zip`: what staff take away from a course, written as it is read. */
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { LanistaError } from "@lanista/api/errors";
import type { App } from "../app.ts";
import { notFound } from "../auth/access.ts";
import type { Caller } from "../auth/caller.ts";
import { requireCourse } from "../courses/course.ts";
import { results, resultTasks } from "../courses/results.ts";
import { resultsCsv } from "../courses/results-csv.ts";
import { submissionEntries, submissionsZip } from "../courses/submissions-zip.ts";
import { requireTask } from "../courses/tasks.ts";
import { setHeader } from "./headers.ts";
import type { NodeServerResponse } from "./node.ts";
import type { HttpRoute } from "./route.ts";

const PATH = "/courses/";
const STUDENTS_AT_ONCE = 200;
const SLUG = "[a-z0-9-]{1,64}";
const RESULTS = new RegExp(`^(${SLUG})/results\\.csv$`);
const SUBMISSIONS = new RegExp(`^(${SLUG})/(${SLUG})/submissions\\.zip$`);

export function courseRoute(app: App): HttpRoute {
  return {
    path: PATH,
    methods: ["GET"],
    async handle({ response, url, caller }) {
      const who = await caller();
      if (who.scopes.size === 0)
        throw new LanistaError("unauthenticated", "this is for a course's staff", {
          hint: "Sign in, or send a token as `Authorization: Bearer TOKEN`.",
        });
      const path = url.pathname.slice(PATH.length);
      const [, course] = RESULTS.exec(path) ?? [];
      if (course !== undefined) return await sendResults(app, response, who, course);
      const [, space, task] = SUBMISSIONS.exec(path) ?? [];
      if (space === undefined || task === undefined) throw notFound("the file");
      await sendSubmissions(app, response, who, `${space}/${task}`, url.searchParams.get("all") === "1");
    },
  };
}

async function sendResults(app: App, response: NodeServerResponse, who: Caller, course: string): Promise<void> {
  const { space } = await requireCourse(app.db, who, course, "assistant");
  const tasks = await resultTasks(app.db, space.id, true);
  const pages = async function* () {
    for (let after: string[] | null = null, first = true; first || after !== null; first = false) {
      const found = await results(app.db, space.id, tasks, { size: STUDENTS_AT_ONCE, after });
      const students = found.slice(0, STUDENTS_AT_ONCE);
      yield resultsCsv(tasks, students, first);
      after = found.length > STUDENTS_AT_ONCE ? [students.at(-1)!.key] : null;
    }
  };
  await download(response, "text/csv; charset=utf-8", `${space.slug}-results.csv`, Readable.from(pages()));
}

async function sendSubmissions(
  app: App,
  response: NodeServerResponse,
  who: Caller,
  name: string,
  all: boolean,
): Promise<void> {
  const { task } = await requireTask(app.db, who, name, "assistant");
  const entries = await submissionEntries(app.db, task.id, all);
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  const signal = AbortSignal.any([gone.signal, app.stopping]);
  const zip = submissionsZip(app.store, entries, signal);
  await download(response, "application/zip", `${name.replace("/", "-")}.zip`, zip);
}

const isGone = (error: unknown): boolean =>
  error instanceof Error && (error.name === "AbortError" || /PREMATURE_CLOSE/.test(String(Reflect.get(error, "code"))));

/** Whoever leaves in the middle ends it; a fault of ours in the middle cuts it off, so that nobody takes it for the whole. */
async function download(response: NodeServerResponse, type: string, name: string, bytes: Readable): Promise<void> {
  setHeader(response, "content-type", type);
  setHeader(response, "content-disposition", `attachment; filename="${name}"`);
  response.statusCode = 200;
  await pipeline(bytes, response as unknown as NodeJS.WritableStream).catch((error: unknown) => {
    if (!isGone(error)) throw error;
  });
}
