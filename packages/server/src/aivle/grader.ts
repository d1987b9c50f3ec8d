/** What grades one job's two zips, as this part of the server sees it. */
import type { Logger } from "pino";
import type { Report } from "./report.ts";

export interface GradeRequest {
  /** The zips' paths. */
  readonly grader: string;
  readonly agent: string;
  /** As the site has them: 0 or less is no limit. */
  readonly limits: { readonly ramMiB: number; readonly vramMiB: number; readonly seconds: number };
  readonly log: Logger;
  readonly signal: AbortSignal;
}

export type SiteReport = Omit<Report, "task_id">;

export type SiteGrade =
  | { readonly kind: "graded"; readonly site: SiteReport }
  /** Neither the agent's nor the grader's. */
  | { readonly kind: "ours"; readonly why: string };

/** Throws where the signal was aborted; any other exception is a fault of ours. */
export type GradeBundles = (request: GradeRequest) => Promise<SiteGrade>;

/** The site shows an error of no kind: it is nobody's there. */
export const nobodys = (why: string): SiteReport => ({
  ok: false,
  raw_log: `This submission could not be graded. That is not its fault; it can be run again.\n${why}\n`,
  result: null,
  error: null,
});
