/**
 * What the site is told of a job, as the very bytes that are sent, so that a repeated report is the same one. The site keeps
 * log and result in a database that takes neither NUL nor half a surrogate pair, and its front may take no more than 1 MiB.
 */
import { z } from "zod";

export const LEGACY_ERRORS = ["TLE", "MLE", "VLE", "RE"] as const;

const Report = z.strictObject({
  task_id: z.string(),
  ok: z.boolean(),
  raw_log: z.string(),
  result: z.string().nullable(),
  error: z.enum(LEGACY_ERRORS).nullable(),
});
export type Report = z.infer<typeof Report>;

const MOST_LOG_BYTES = 256 * 1024;
const CUT = "\n[… cut here …]\n";

export function reportBytes(report: Report): Buffer {
  const { task_id, ok, raw_log, result, error } = report;
  const log = shortened(storable(raw_log), MOST_LOG_BYTES);
  return Buffer.from(JSON.stringify({ task_id, ok, raw_log: log, result: result && storable(result), error }));
}

/** Throws where the bytes are no report. */
export const readReport = (bytes: Buffer): Report => Report.parse(JSON.parse(bytes.toString("utf8")));

const storable = (text: string): string => text.replaceAll("\u0000", "\u{fffd}").toWellFormed();

/** Its begin and its end, as long as JSON makes them. */
function shortened(text: string, most: number): string {
  const size = (one: string): number => Buffer.byteLength(JSON.stringify(one));
  let cut = text;
  let keep = Math.min(text.length, most);
  for (let bytes = size(text); bytes > most; bytes = size(cut)) {
    cut = (text.slice(0, keep / 2) + CUT + text.slice(text.length - keep / 2)).toWellFormed();
    keep = Math.floor(keep * Math.min(0.9, most / size(cut)));
  }
  return cut;
}
