/**
 * A course as the site's API shows it to one of its staff. Its lists of tasks and submissions come whole, its other lists in pages of
 * ten; some have the same row twice. It tells no address of anybody: people.csv does, and what it says of a person holds.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LanistaError } from "@lanista/api/errors";
import { z } from "zod";
import { Backoff } from "../../worker/backoff.ts";
import { type SiteCall, SiteWire } from "../site-call.ts";
import { PRINTABLE, readTime } from "./cells.ts";
import {
  inOrder,
  keptNotes,
  MOST_FILE,
  OLD_ERRORS,
  OLD_ROLES,
  type OldCourse,
  type OldError,
  type OldPerson,
  type OldRole,
  type OldSource,
  type OldSubmission,
  type OldTask,
} from "./old-course.ts";
import type { ListedPerson } from "./people-csv.ts";
import { yearOf } from "./year.ts";

const MOST_LIST = 256 * 2 ** 20;
const MOST_PAGES = 2000;
const MOST_WAIT_MS = 10_000;

const Id = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const Time = z
  .string()
  .max(64)
  .transform((text, context) => {
    const at = readTime(text);
    if (at !== null) return at;
    context.addIssue({ code: "custom", message: "is no time" });
    return z.NEVER;
  });
const Line = (most: number) => z.string().max(most).regex(PRINTABLE);
const Whole = z.int().min(-1_000_000_000).max(1_000_000_000);
const CourseRow = z.object({
  id: Id,
  code: Line(100),
  academic_year: Line(100),
  semester: z.union([z.int(), Line(30)]),
});
const Participant = z.object({ user: z.object({ id: Id, username: Line(150) }), role: z.enum(OLD_ROLES) });
const TaskRow = z.object({
  id: Id,
  name: Line(255),
  description: z.string().max(1_000_000).nullable(),
  template: z.string().max(1000).nullish(),
  daily_submission_limit: Whole,
  max_upload_size: Whole,
  run_time_limit: Whole,
  ram_limit: Whole,
  vram_limit: Whole,
  opened_at: Time.nullable(),
  deadline_at: Time.nullable(),
  closed_at: Time.nullable(),
  course: Id,
  eval_queue: Id.nullable(),
});
const Point = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^-?\d{1,12}(\.\d{1,12})?$/)
      .transform(Number),
  ])
  .refine(Number.isFinite);
const SubmissionRow = z.object({
  id: Id,
  user: Id,
  task: Id,
  point: Point.nullable(),
  notes: z.string().nullable(),
  created_at: Time,
  marked_for_grading: z.boolean(),
});
const JobRow = z.object({ id: Id, status: z.string().max(10), error: z.string().max(10).nullable() });
const QueueRow = z.object({ id: Id, name: Line(64) });

export interface OldCourseRow extends OldCourse {
  readonly id: number;
}

export interface SiteSourceOptions {
  readonly url: string;
  readonly token: string;
  /** How long a site that ails is waited for, each time. */
  readonly patienceSeconds: number;
  readonly signal: AbortSignal;
}

/** The calls, each tried again while the site ails. */
export class OldSite {
  readonly #wire: SiteWire;
  readonly #options: SiteSourceOptions;

  constructor(options: SiteSourceOptions) {
    this.#wire = new SiteWire(options.url, options.token);
    this.#options = options;
  }

  /** Those that the token may see. */
  async courses(): Promise<readonly OldCourseRow[]> {
    const rows = await this.pages("/courses/", {}, CourseRow);
    return rows.map(({ id, code, academic_year, semester }) => ({
      id,
      title: `${code} ${academic_year}`.trim(),
      year: yearOf(academic_year),
      semester: String(semester),
    }));
  }

  async list<T>(path: string, query: Readonly<Record<string, string>>, row: z.ZodType<T>): Promise<readonly T[]> {
    return await this.#ask({ path, query, mostBytes: MOST_LIST }, z.array(row));
  }

  async pages<T>(path: string, query: Readonly<Record<string, string>>, row: z.ZodType<T>): Promise<readonly T[]> {
    const found: T[] = [];
    const schema = z.object({ next: z.string().nullable(), results: z.array(row) });
    for (let page = 1; page <= MOST_PAGES; page++) {
      const { next, results } = await this.#ask({ path, query: { ...query, page: String(page) } }, schema);
      found.push(...results);
      if (next === null) return found;
    }
    throw new LanistaError("too_large", `the site, ${path}: has more than ${MOST_PAGES} pages`);
  }

  /** The last of its jobs. */
  async lastJob(submission: number): Promise<z.output<typeof JobRow> | undefined> {
    const query = { submission: String(submission), ordering: "-created_at", page: "1" };
    return (await this.#ask({ path: "/jobs/", query }, z.object({ results: z.array(JobRow) }))).results[0];
  }

  async file(path: string): Promise<Buffer> {
    const dir = await mkdtemp(join(tmpdir(), "lanista-import-"));
    try {
      const file = join(dir, "file");
      const { signal } = this.#options;
      refuse(path, await this.#patiently(() => this.#wire.download(path, file, MOST_FILE, signal)), "");
      const bytes = await readFile(file);
      if (bytes.byteLength === 0) throw new LanistaError("invalid", `the site, ${path}: the file is empty`);
      return bytes;
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  }

  async close(): Promise<void> {
    await this.#wire.close();
  }

  async #ask<T>(call: SiteCall, schema: z.ZodType<T>): Promise<T> {
    return await this.#patiently(async () => {
      const { status, text } = await this.#wire.call(call, this.#options.signal);
      refuse(call.path, status, text);
      const parsed = schema.safeParse(parsedJson(text));
      if (parsed.success) return parsed.data;
      const [first] = parsed.error.issues;
      throw new LanistaError(
        "invalid",
        `the site, ${call.path}: answers what is none of its answers (${first?.path.join(".")}: ${first?.message})`,
      );
    });
  }

  async #patiently<T>(work: () => Promise<T>): Promise<T> {
    const { patienceSeconds, signal } = this.#options;
    const backoff = new Backoff(MOST_WAIT_MS);
    const until = performance.now() + patienceSeconds * 1000;
    for (;;) {
      try {
        return await work();
      } catch (error) {
        const away = error instanceof LanistaError && error.code === "unavailable";
        if (!away || performance.now() >= until) throw error;
      }
      await backoff.wait(signal);
      signal.throwIfAborted();
    }
  }
}

function refuse(path: string, status: number, text: string): void {
  if (status === 200) return;
  const message = `the site, ${path}: answers ${status} ${text.slice(0, 200)}`.trim();
  if (status === 401 || status === 403)
    throw new LanistaError("forbidden", message, { hint: "The token must be of a member of the course's staff." });
  throw new LanistaError(status === 404 ? "not_found" : "invalid", message);
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export class SiteSource implements OldSource {
  readonly #site: OldSite;
  readonly #course: OldCourseRow;
  readonly #listed: readonly ListedPerson[];
  #queues: Promise<ReadonlyMap<number, string>> | undefined;

  /** `listed`: what people.csv says. */
  constructor(site: OldSite, course: OldCourseRow, listed: readonly ListedPerson[]) {
    this.#site = site;
    this.#course = course;
    this.#listed = listed;
  }

  async course(): Promise<OldCourse> {
    return this.#course;
  }

  async people(): Promise<readonly OldPerson[]> {
    const there = await this.#site.list(`/courses/${this.#course.id}/get_participants/`, {}, Participant);
    const people = new Map<number, OldPerson>();
    for (const { user, role } of there) people.set(user.id, this.#person(user.id, user.username, role));
    // Who is listed by his id was a participant once, perhaps.
    for (const { id, username } of this.#listed)
      if (id !== null && !people.has(id)) people.set(id, this.#person(id, username, null));
    return [...people.values()];
  }

  #person(id: number, username: string, role: OldRole | null): OldPerson {
    const said = this.#listed.find((one) => one.id === id || (one.id === null && one.username === username));
    return {
      id,
      username,
      name: said === undefined || said.name === said.email ? username || String(id) : said.name,
      email: said?.email ?? null,
      role: said?.role ?? role,
      group: said?.group ?? null,
    };
  }

  async tasks(): Promise<readonly OldTask[]> {
    const { id: course } = this.#course;
    const rows = await this.#site.list("/tasks/", { course: String(course) }, TaskRow);
    const own = new Map(rows.filter((row) => row.course === course).map((row) => [row.id, row]));
    return await Promise.all(
      [...own.values()].map(async (row) => ({
        id: row.id,
        name: row.name,
        description: row.description ?? "",
        dailyLimit: row.daily_submission_limit,
        maxUploadKib: row.max_upload_size,
        runSeconds: row.run_time_limit,
        ramMib: row.ram_limit,
        vramMib: row.vram_limit,
        opened: row.opened_at,
        deadline: row.deadline_at,
        closed: row.closed_at,
        // A token of an assistant's sees none of them.
        queue:
          row.eval_queue === null ? null : ((await this.#queueNames()).get(row.eval_queue) ?? `#${row.eval_queue}`),
        hasTemplate: row.template != null && row.template !== "",
      })),
    );
  }

  #queueNames(): Promise<ReadonlyMap<number, string>> {
    this.#queues ??= this.#site
      .pages("/queue/", {}, QueueRow)
      .then((rows) => new Map(rows.map(({ id, name }) => [id, name])));
    return this.#queues;
  }

  async submissions({ id: task }: OldTask): Promise<readonly OldSubmission[]> {
    const rows = await this.#site.list("/submissions/", { task: String(task) }, SubmissionRow);
    const own = new Map(rows.filter((row) => row.task === task).map((row) => [row.id, row]));
    const found: OldSubmission[] = [];
    for (const row of own.values())
      found.push({
        id: row.id,
        user: row.user,
        created: row.created_at,
        point: row.point,
        error: row.point === null ? await this.#errorOf(row.id) : null,
        notes: keptNotes(row.notes ?? ""),
        marked: row.marked_for_grading,
      });
    return inOrder(found);
  }

  /** The site keeps it with the job. */
  async #errorOf(submission: number): Promise<OldError | null> {
    const job = await this.#site.lastJob(submission);
    return job?.status === "E" ? (OLD_ERRORS.find((error) => error === job.error) ?? null) : null;
  }

  grader({ id }: OldTask): Promise<Buffer> {
    return this.#site.file(`/tasks/${id}/download_grader/`);
  }

  template({ id }: OldTask): Promise<Buffer> {
    return this.#site.file(`/tasks/${id}/download_template/`);
  }

  bundle({ id }: OldSubmission): Promise<Buffer> {
    return this.#site.file(`/submissions/${id}/download/`);
  }

  close(): Promise<void> {
    return this.#site.close();
  }
}
