/** `people.csv`: who is who. The site's API knows names for signing in alone, and no address. */
import { z } from "zod";
import { idCell, lineCell } from "./cells.ts";
import { CsvProblems, readCsv } from "./csv-table.ts";
import { OLD_ROLES, type OldPerson } from "./old-course.ts";

const schema = z.strictObject({
  id: idCell.or(z.literal("").transform(() => null)).default(null),
  username: lineCell(0, 150).default(""),
  name: lineCell(0, 100).default(""),
  email: z.email("must be an address").max(254, "must have at most 254 characters"),
  role: z.enum([...OLD_ROLES, ""], { error: `must be ${OLD_ROLES.join(", ")} or empty` }).default(""),
  group: lineCell(0, 100).optional(),
});

export interface ListedPerson extends Omit<OldPerson, "id" | "email"> {
  readonly line: number;
  /** null: named by his name for signing in. */
  readonly id: number | null;
  readonly email: string;
}

/** `needIds`: where nothing else knows whose is what. Throws LanistaError `invalid`. */
export async function readPeople(path: string, needIds: boolean, problems = new CsvProblems()) {
  const rows = await readCsv(path, schema, problems);
  const people = rows.map(({ line, value }): ListedPerson => {
    const { id, username, email, role, group } = value;
    return {
      line,
      id,
      username,
      name: value.name || username || email,
      email: email.toLowerCase(),
      role: role === "" ? null : role,
      group: group ?? null,
    };
  });
  for (const key of ["id", "username"] as const) {
    const lines = new Map<unknown, number>();
    for (const person of people) {
      const named = person[key];
      if (named === null || named === "") continue;
      const before = lines.get(named);
      if (before !== undefined) problems.add(path, person.line, key, `it stands in line ${before} already`);
      lines.set(named, person.line);
    }
  }
  for (const { id, username, line } of people)
    if (id === null && (needIds || username === ""))
      problems.add(path, line, "id", needIds ? "must not be empty" : "needs an id or a username");
  problems.check();
  return people;
}
