/**
 * A course in CSV files, as docs/import-aivle.md says: people.csv, tasks.csv and submissions.csv in one folder with the bundles that
 * they name, and course.csv if wanted. All of it is read and checked before anything is brought over.
 */
import { constants } from "node:fs";
import { open, realpath } from "node:fs/promises";
import { join, sep } from "node:path";
import { LanistaError } from "@lanista/api/errors";
import { z } from "zod";
import { flagCell, idCell, intCell, lineCell, momentCell, pathCell, pointCell, textCell, timeCell } from "./cells.ts";
import { CsvProblems, type CsvRow, readCsv } from "./csv-table.ts";
import {
  inOrder,
  keptNotes,
  MOST_FILE,
  OLD_ERRORS,
  type OldCourse,
  type OldPerson,
  type OldSource,
  type OldSubmission,
  type OldTask,
} from "./old-course.ts";
import { readPeople } from "./people-csv.ts";
import { yearOf } from "./year.ts";

const courses = z.strictObject({
  code: lineCell(1, 100),
  academic_year: lineCell(0, 30).default(""),
  semester: lineCell(0, 30).default(""),
});
/** The defaults are aiVLE's own. */
const tasks = z.strictObject({
  id: idCell,
  name: lineCell(1, 255),
  description: textCell(100_000),
  grader: pathCell,
  template: pathCell.default(""),
  daily_submission_limit: intCell(3),
  max_upload_size: intCell(5 * 1024),
  run_time_limit: intCell(60),
  ram_limit: intCell(256),
  vram_limit: intCell(256),
  opened_at: timeCell,
  deadline_at: timeCell,
  closed_at: timeCell,
  eval_queue: lineCell(0, 64).default(""),
});
const submissions = z.strictObject({
  id: idCell,
  task: idCell,
  user: idCell,
  file: pathCell,
  created_at: momentCell,
  point: pointCell.default(null),
  error: z.enum([...OLD_ERRORS, ""], { error: `must be ${OLD_ERRORS.join(", ")} or empty` }).default(""),
  notes: textCell(1_000_000),
  marked_for_grading: flagCell.default(false),
});

type TaskRow = z.output<typeof tasks>;
type SubmissionRow = z.output<typeof submissions>;

/** Throws LanistaError `invalid`: all that is wrong, up to a bound. */
export async function openCsvSource(folder: string): Promise<OldSource> {
  const root = await realpath(folder).catch((error: Error) => {
    throw new LanistaError("invalid", `the folder cannot be read: ${error.message}`);
  });
  const at = (name: string): string => join(root, name);
  const problems = new CsvProblems();
  const people = await readPeople(at("people.csv"), true, problems);
  const taskRows = await readCsv(at("tasks.csv"), tasks, problems);
  const handed = await readCsv(at("submissions.csv"), submissions, problems);
  const course = await courseOf(at("course.csv"), problems);
  once(at("tasks.csv"), taskRows, problems);
  once(at("submissions.csv"), handed, problems);
  const known = { task: new Set(taskRows.map(({ value }) => value.id)), user: new Set(people.map(({ id }) => id)) };
  for (const { line, value } of handed)
    for (const column of ["task", "user"] as const)
      if (!known[column].has(value[column]))
        problems.add(at("submissions.csv"), line, column, `no ${column} has the id ${value[column]}`);
  problems.check();
  return new CsvSource(root, {
    course,
    people: people.map(({ line: _, id, ...person }) => ({ ...person, id: id! })),
    tasks: new Map(taskRows.map(({ value }) => [value.id, value])),
    submissions: new Map(handed.map(({ value }) => [value.id, value])),
  });
}

function once(path: string, rows: readonly CsvRow<{ readonly id: number }>[], problems: CsvProblems): void {
  const lines = new Map<number, number>();
  for (const { line, value } of rows) {
    const before = lines.get(value.id);
    if (before !== undefined) problems.add(path, line, "id", `it stands in line ${before} already`);
    lines.set(value.id, line);
  }
}

async function courseOf(path: string, problems: CsvProblems): Promise<OldCourse> {
  const there = await realpath(path).catch(() => null);
  const row = there === null ? undefined : (await readCsv(path, courses, problems))[0]?.value;
  if (row === undefined) return { title: "", year: 0, semester: "" };
  return { title: row.code, year: yearOf(row.academic_year), semester: row.semester };
}

interface Read {
  readonly course: OldCourse;
  readonly people: readonly OldPerson[];
  readonly tasks: ReadonlyMap<number, TaskRow>;
  readonly submissions: ReadonlyMap<number, SubmissionRow>;
}

class CsvSource implements OldSource {
  readonly #root: string;
  readonly #read: Read;

  constructor(root: string, read: Read) {
    this.#root = root;
    this.#read = read;
  }

  async course(): Promise<OldCourse> {
    return this.#read.course;
  }

  async people(): Promise<readonly OldPerson[]> {
    return this.#read.people;
  }

  async tasks(): Promise<readonly OldTask[]> {
    return [...this.#read.tasks.values()].map((row) => ({
      id: row.id,
      name: row.name,
      description: row.description,
      dailyLimit: row.daily_submission_limit,
      maxUploadKib: row.max_upload_size,
      runSeconds: row.run_time_limit,
      ramMib: row.ram_limit,
      vramMib: row.vram_limit,
      opened: row.opened_at,
      deadline: row.deadline_at,
      closed: row.closed_at,
      queue: row.eval_queue || null,
      hasTemplate: row.template !== "",
    }));
  }

  async submissions({ id }: OldTask): Promise<readonly OldSubmission[]> {
    const own = [...this.#read.submissions.values()].filter(({ task }) => task === id);
    return inOrder(
      own.map((row) => ({
        id: row.id,
        user: row.user,
        created: row.created_at,
        point: row.point,
        error: row.point !== null || row.error === "" ? null : row.error,
        notes: keptNotes(row.notes),
        marked: row.marked_for_grading,
      })),
    );
  }

  grader({ id }: OldTask): Promise<Buffer> {
    return this.#file(this.#read.tasks.get(id)!.grader);
  }

  template({ id }: OldTask): Promise<Buffer> {
    return this.#file(this.#read.tasks.get(id)!.template);
  }

  bundle({ id }: OldSubmission): Promise<Buffer> {
    return this.#file(this.#read.submissions.get(id)!.file);
  }

  async close(): Promise<void> {}

  /** A file of the folder's, that no link leads out of. */
  async #file(path: string): Promise<Buffer> {
    if (path === "") throw new LanistaError("not_found", "no file is named");
    const found = await realpath(join(this.#root, path)).catch(() => null);
    if (found === null) throw new LanistaError("not_found", `there is no file ${path}`);
    if (!found.startsWith(`${this.#root}${sep}`)) throw new LanistaError("invalid", `${path} leads out of the folder`);
    // Not to wait for a pipe's other end.
    const file = await open(found, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    try {
      const about = await file.stat();
      if (!about.isFile()) throw new LanistaError("invalid", `${path} is no file`);
      if (about.size > MOST_FILE) throw new LanistaError("too_large", `${path} has more than ${MOST_FILE} bytes`);
      if (about.size === 0) throw new LanistaError("invalid", `${path} is empty`);
      return await file.readFile();
    } finally {
      await file.close();
    }
  }
}
