/**
 * What a course at aiVLE's site is made of, from whichever source: its API (site-source.ts) or CSV files (csv-source.ts). All of it is
 * data of strangers, parsed within bounds; ids are the site's.
 */
export const OLD_ROLES = ["GUE", "STU", "TA", "LEC", "ADM"] as const;
export type OldRole = (typeof OLD_ROLES)[number];
export const OLD_ERRORS = ["TLE", "MLE", "VLE", "RE"] as const;
export type OldError = (typeof OLD_ERRORS)[number];

export interface OldCourse {
  /** Empty where nothing says. */
  readonly title: string;
  /** 0 where nothing says. */
  readonly year: number;
  readonly semester: string;
}

export interface OldPerson {
  readonly id: number;
  readonly username: string;
  readonly name: string;
  /** null: the source does not say it. */
  readonly email: string | null;
  /** null: no participant (any more). */
  readonly role: OldRole | null;
  /** null: the source does not say. */
  readonly group: string | null;
}

export interface OldTask {
  readonly id: number;
  readonly name: string;
  readonly description: string;
  readonly dailyLimit: number;
  readonly maxUploadKib: number;
  /** Seconds; 0 or less: none. So are the next two, in MiB. */
  readonly runSeconds: number;
  readonly ramMib: number;
  readonly vramMib: number;
  readonly opened: Date | null;
  readonly deadline: Date | null;
  readonly closed: Date | null;
  readonly queue: string | null;
  readonly hasTemplate: boolean;
}

export interface OldSubmission {
  readonly id: number;
  readonly user: number;
  readonly created: Date;
  /** null: no result. */
  readonly point: number | null;
  /** Where there is no point: why. */
  readonly error: OldError | null;
  /** What the site keeps of the result: a Python dictionary as text. It is never read as more than text. */
  readonly notes: string;
  /** Of a student's for the task the one that counts. */
  readonly marked: boolean;
}

/** Throws LanistaError: what is wrong with the source as a whole; of one file `not_found`, `forbidden`, `too_large`, `invalid`. */
export interface OldSource {
  course(): Promise<OldCourse>;
  people(): Promise<readonly OldPerson[]>;
  tasks(): Promise<readonly OldTask[]>;
  /** In the order they came. */
  submissions(task: OldTask): Promise<readonly OldSubmission[]>;
  grader(task: OldTask): Promise<Buffer>;
  template(task: OldTask): Promise<Buffer>;
  bundle(submission: OldSubmission): Promise<Buffer>;
  close(): Promise<void>;
}

/** Characters of notes that are kept. */
const MOST_NOTES = 65_000;

export const keptNotes = (notes: string): string => notes.replaceAll("\u0000", "").slice(0, MOST_NOTES);

export const inOrder = (submissions: readonly OldSubmission[]): readonly OldSubmission[] =>
  submissions.toSorted((a, b) => a.created.getTime() - b.created.getTime() || a.id - b.id);

/** A file of a student's or of staff's, at most. */
export const MOST_FILE = 256 * 2 ** 20;
