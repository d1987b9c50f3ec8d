/** A course's roster as CSV: read strictly, with the line of whatever is wrong, and never half. */
import { LanistaError } from "@lanista/api/errors";
import { CsvError, parse } from "csv-parse/sync";
import { z } from "zod";
import type { Role } from "../auth/access.ts";

const MOST_PEOPLE = 2000;
const MOST_RECORD = 2000;

/** As people write them; ours are taken, too. */
const ROLES: ReadonlyMap<string, Role> = new Map(
  Object.entries({
    guest: "guest",
    student: "participant",
    participant: "participant",
    assistant: "assistant",
    "teaching assistant": "assistant",
    ta: "assistant",
    lecturer: "organiser",
    organiser: "organiser",
    administrator: "administrator",
  } as const),
);

export interface RosterPerson {
  readonly line: number;
  readonly name: string;
  readonly email: string;
  readonly role: Role;
  readonly group: string;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused
const printable = z.string().regex(/^[^\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]*$/);
const person = z.strictObject({
  name: printable.min(1).max(100),
  email: z.email().max(254),
  role: z.string().refine((role) => ROLES.has(role.toLowerCase()), {
    message: "must be student, teaching assistant, lecturer, administrator or guest",
  }),
  group: printable.max(100).default(""),
});

/** Throws LanistaError `invalid`, naming the line. */
export function parseRoster(csv: string): readonly RosterPerson[] {
  let found: { record: Record<string, string>; info: { lines: number } }[];
  try {
    found = parse(csv, {
      bom: true,
      trim: true,
      info: true,
      skip_empty_lines: true,
      max_record_size: MOST_RECORD,
      to: MOST_PEOPLE + 1,
      columns: (titles: string[]) => checkTitles(titles.map((title) => title.toLowerCase())),
    }) as unknown as typeof found;
  } catch (error) {
    if (error instanceof CsvError) throw refused(`the roster is no CSV: ${error.message}`);
    throw error;
  }
  if (found.length > MOST_PEOPLE) throw refused(`a roster has at most ${MOST_PEOPLE} people`);
  const lines = new Map<string, number>();
  return found.map(({ record, info: { lines: line } }) => {
    const read = person.safeParse(record);
    if (!read.success) {
      const { path, message } = read.error.issues[0]!;
      throw refused(`line ${line}: ${path.join(".") || "the line"}: ${message}`);
    }
    const { name, role, group } = read.data;
    const email = read.data.email.toLowerCase();
    const before = lines.get(email);
    if (before !== undefined) throw refused(`line ${line}: ${email} stands in line ${before} already`);
    lines.set(email, line);
    return { line, name, email, role: ROLES.get(role.toLowerCase())!, group };
  });
}

function checkTitles(titles: string[]): string[] {
  const wrong = titles.find((title) => !["name", "email", "role", "group"].includes(title));
  if (wrong !== undefined) throw refused(`line 1: there is no column "${wrong.slice(0, 40)}"`);
  if (new Set(titles).size !== titles.length) throw refused("line 1: a column stands there twice");
  const missing = ["name", "email", "role"].find((title) => !titles.includes(title));
  if (missing !== undefined) throw refused(`line 1: the column ${missing} is missing`);
  return titles;
}

const refused = (message: string): LanistaError =>
  new LanistaError("invalid", message, {
    field: "csv",
    hint: "The first line names the columns: name,email,role,group. Nothing was changed.",
  });
