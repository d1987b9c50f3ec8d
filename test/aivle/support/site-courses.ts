/**
 * The calls of an import, as the site has them: lists of tasks and submissions come whole, and a task stands there once for each role
 * that shows it; the others come in pages of ten. What is not exactly such a call is none.
 */
import type { Answer } from "./site.ts";

export interface SiteTask {
  readonly id: number;
  readonly course: number;
  readonly name: string;
  readonly [field: string]: unknown;
}

export interface SiteSubmission {
  readonly id: number;
  readonly task: number;
  readonly user: number;
  readonly bundle: Buffer;
  created_at: string;
  point: string | null;
  notes: string | null;
  marked_for_grading: boolean;
  /** Its jobs, the last one first. */
  jobs: { status: string; error: string | null }[];
}

const PAGE = 10;

export class SiteCourses {
  readonly courses: { id: number; code: string; academic_year: string; semester: number }[] = [];
  readonly participants = new Map<number, { user: { id: number; username: string }; role: string }[]>();
  readonly queues: { id: number; name: string }[] = [];
  readonly tasks: SiteTask[] = [];
  readonly submissions: SiteSubmission[] = [];
  readonly graders = new Map<number, Buffer>();
  readonly templates = new Map<number, Buffer>();
  /** Submissions whose bundle is never to be had. */
  readonly lost = new Set<number>();
  /** Every file that was asked for. */
  readonly downloads: string[] = [];

  find({ pathname, searchParams }: URL): { readonly call: string; readonly act: () => Answer } | undefined {
    const path = pathname.replace(/^\/api\/v1/, "");
    const query = [...searchParams.keys()].sort().join();
    const number = (name: string): number => Number(searchParams.get(name));
    const of = (id: string | undefined): number => Number(id);
    const answer = (call: string, act: () => Answer) => ({ call, act });
    if (path === "/courses/" && query === "page") return answer("courses", () => page(this.courses, number("page")));
    if (path === "/queue/" && query === "page") return answer("queues", () => page(this.queues, number("page")));
    if (path === "/jobs/" && query === "ordering,page,submission" && searchParams.get("ordering") === "-created_at") {
      const jobs = this.submissions.find(({ id }) => id === number("submission"))?.jobs ?? [];
      return answer("jobs", () =>
        page(
          jobs.map((job, id) => ({ id, worker_name: null, ...job })),
          number("page"),
        ),
      );
    }
    if (path === "/tasks/" && query === "course") {
      const own = this.tasks.filter(({ course }) => course === number("course"));
      return answer("tasks", () => [200, [...own, ...own]]);
    }
    if (path === "/submissions/" && query === "task") {
      const own = this.submissions.filter(({ task }) => task === number("task"));
      const shown = own.map(({ bundle: _, jobs: __, ...row }) => ({
        ...row,
        description: null,
        metadata: null,
        file: `courses/${row.id}.zip`,
      }));
      return answer("submissions", () => [200, shown.reverse()]);
    }
    if (query !== "") return undefined;
    const [, course] = /^\/courses\/(\d+)\/get_participants\/$/.exec(path) ?? [];
    if (course !== undefined) return answer("participants", () => [200, this.participants.get(of(course)) ?? []]);
    const [, task, which] = /^\/tasks\/(\d+)\/download_(grader|template)\/$/.exec(path) ?? [];
    if (task !== undefined)
      return answer("file", () => this.#file(path, (which === "grader" ? this.graders : this.templates).get(of(task))));
    const [, submission] = /^\/submissions\/(\d+)\/download\/$/.exec(path) ?? [];
    const found = this.submissions.find(({ id }) => id === of(submission));
    if (submission !== undefined)
      return answer("bundle", () =>
        this.lost.has(of(submission)) ? [500, "Server Error"] : this.#file(path, found?.bundle),
      );
    return undefined;
  }

  #file(path: string, bytes: Buffer | undefined): Answer {
    this.downloads.push(path);
    return bytes === undefined ? [404, { detail: "Not found." }] : [200, bytes];
  }
}

function page(rows: readonly object[], at: number): Answer {
  const from = (at - 1) * PAGE;
  if (at < 1 || (from >= rows.length && at > 1)) return [404, { detail: "Invalid page." }];
  const next = from + PAGE < rows.length ? `http://site/?page=${at + 1}` : null;
  return [200, { count: rows.length, next, previous: null, results: rows.slice(from, from + PAGE) }];
}
