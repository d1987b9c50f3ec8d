/** `lanista course import-roster`. */
import { readFile, writeFile } from "node:fs/promises";
import { RosterRow_Action as Action, ImportRosterResponseSchema } from "@lanista/api/gen/lanista/v1/courses_pb";
import type { Context } from "../../context.ts";
import type { RemoteOptions } from "../../remote/options.ts";
import { print, rows } from "../../remote/print.ts";
import { remote } from "../../remote/remote.ts";
import { note } from "../../terminal.ts";
import { UsageError } from "../../usage-error.ts";
import { roleText } from "../space-people.ts";
import type { Sub } from "./sub.ts";

interface RosterOptions extends RemoteOptions {
  readonly dryRun?: true;
  readonly codes?: string;
}

const ACTIONS: Readonly<Record<Action, string>> = {
  [Action.UNSPECIFIED]: "–",
  [Action.UNCHANGED]: "unchanged",
  [Action.JOINED]: "joins",
  [Action.CHANGED]: "changes",
  [Action.INVITED]: "is invited",
};

export function courseRoster(context: Context, sub: Sub): void {
  sub("import-roster", "bring a course's members in line with a list", "import-roster cs1 students.csv --dry-run")
    .argument("<course>", "its short name or id")
    .argument("<file>", "CSV with a line of titles: name, email, role and, if wanted, group")
    .option("--dry-run", "say what would be changed, and change nothing")
    .option("--codes <file>", "write the new invitations' codes into this new file, for whoever gets no mail")
    .action((space: string, path: string, options: RosterOptions) => importRoster(context, space, path, options));
}

async function importRoster(context: Context, space: string, path: string, options: RosterOptions): Promise<void> {
  const csv = await readFile(path, "utf8").catch((error: Error) => {
    throw new UsageError(`the roster cannot be read: ${error.message}`);
  });
  const client = await remote(context, options);
  const answer = await client.courses.importRoster({ space, csv, dryRun: options.dryRun === true });
  const invited = answer.rows.filter(({ code }) => code !== "");
  if (options.codes !== undefined && invited.length > 0) {
    const lines = invited.map(({ email, code }) => `${email},${code}\n`);
    await writeFile(options.codes, `email,code\n${lines.join("")}`, { flag: "wx", mode: 0o600 });
  }
  print(context, options, ImportRosterResponseSchema, answer, () =>
    rows(
      ["line>", "name", "address", "role", "group", ""],
      answer.rows.map((row) => [
        String(row.line),
        row.name,
        row.email,
        roleText(row.role),
        row.group,
        ACTIONS[row.action],
      ]),
      "nobody",
    ),
  );
  if (options.dryRun) note(context.terminal, "Nothing was changed.");
  else if (invited.length > 0 && options.codes === undefined && !options.json)
    note(
      context.terminal,
      `${invited.length} invitations wait for their addresses to be confirmed; codes: --codes, --json.`,
    );
}
