/** What an import did, or would do; what it could not, and why. */
import type { Terminal } from "../../terminal.ts";
import { oneLine, writeLine } from "../../terminal.ts";
import { plural } from "../../units.ts";

export interface TaskReport {
  readonly task: string;
  readonly slug: string;
  /** false: it is here already. */
  made: boolean;
  /** Submissions. */
  brought: number;
  changed: number;
  unchanged: number;
  left: number;
}

export class ImportReport {
  readonly course: string;
  readonly dryRun: boolean;
  courseMade = false;
  readonly people = { joined: 0, invited: 0, changed: 0, unchanged: 0, left: 0 };
  readonly tasks: TaskReport[] = [];
  /** Submissions of people who have not come in yet. */
  held = 0;
  /** What came over otherwise than it was. */
  readonly notes: string[] = [];
  /** What could not be brought over. */
  readonly left: { readonly what: string; readonly why: string }[] = [];

  constructor(course: string, dryRun: boolean) {
    this.course = course;
    this.dryRun = dryRun;
  }

  note(text: string): void {
    this.notes.push(oneLine(text));
  }

  leave(what: string, error: unknown): void {
    const why = error instanceof Error ? error.message : String(error);
    this.left.push({ what: oneLine(what), why: oneLine(why) });
  }

  write(terminal: Terminal): void {
    const { courseMade, dryRun, people, held } = this;
    const verb = (done: string, would: string): string => (dryRun ? would : done);
    const line = (text: string): void => writeLine(terminal, text);
    line(`course ${this.course}: ${courseMade ? verb("made", "would be made") : "is there"}`);
    line(
      `people: ${people.joined} ${verb("joined", "would join")}, ${people.invited} ${verb("invited", "would be invited")}, ` +
        `${people.changed} ${verb("changed", "would be changed")}, ${people.unchanged} unchanged, ${people.left} left`,
    );
    for (const { task, slug, made, brought, changed, unchanged, left } of this.tasks)
      line(
        `task ${slug} (${oneLine(task)}): ${made ? verb("made", "would be made") : "is there"}; submissions: ` +
          `${brought} ${verb("brought", "would be brought")}, ${changed} ${verb("changed", "would be changed")}, ` +
          `${unchanged} unchanged, ${left} left`,
      );
    if (held > 0) line(`${plural(held, "submission is", "submissions are")} held for people who have not come in yet`);
    for (const text of this.notes) line(`note: ${text}`);
    if (this.left.length > 0) line(verb("Not brought over:", "Would not be brought over:"));
    for (const { what, why } of this.left) line(`  ${what}: ${why}`);
    if (dryRun) line("Nothing was changed.");
  }
}
