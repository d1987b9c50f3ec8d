/** Submissions with their results, the oldest first; those that are here as the source says are left as they are. */
import { createHash } from "node:crypto";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { LanistaError } from "@lanista/api/errors";
import {
  ImportSubmissionResponse_Change as Change,
  ImportSubmissionRequest_Fault as Fault,
} from "@lanista/api/gen/lanista/v1/grades_pb";
import type { Task } from "@lanista/api/gen/lanista/v1/tasks_pb";
import type { OldError, OldSubmission, OldTask } from "@lanista/server/aivle/import/old-course";
import { pages } from "../../remote/remote.ts";
import { handed } from "../../remote/upload.ts";
import { plural, scoreText } from "../../units.ts";
import { isAboutOne } from "./at-server.ts";
import { ask, type Bringing } from "./bringing.ts";
import type { TaskReport } from "./report.ts";

const FAULTS: Readonly<Record<OldError, Fault>> = {
  TLE: Fault.TIME_LIMIT,
  MLE: Fault.MEMORY_LIMIT,
  VLE: Fault.VRAM_LIMIT,
  RE: Fault.RUNTIME_ERROR,
};
/** In a row: it is not about them. */
const MOST_FAILURES = 5;

/** The fingerprints of what is here already, by key. */
export async function submissionsHere(bringing: Bringing): Promise<ReadonlyMap<string, string>> {
  const { client, space } = bringing;
  const here = new Map<string, string>();
  for await (const { submissions } of pages((page) =>
    ask(bringing, () => client.grades.listTaskSubmissions({ space, all: true, page })),
  ))
    for (const { imported } of submissions) if (imported) here.set(imported.key, imported.fingerprint);
  return here;
}

export interface Handed {
  readonly old: OldTask;
  /** undefined: in a dry run of what is not here. */
  readonly task: Task | undefined;
  readonly points: number;
  readonly submissions: readonly OldSubmission[];
}

export async function bringSubmissions(
  bringing: Bringing,
  { old, task, points, submissions }: Handed,
  addresses: ReadonlyMap<number, string>,
  here: ReadonlyMap<string, string>,
  counts: TaskReport,
): Promise<void> {
  const { key, report, wanted, progress, context } = bringing;
  const nameless = new Map<number, number>();
  let failures = 0;
  for (const [at, one] of submissions.entries()) {
    context.signal.throwIfAborted();
    progress.update(`task ${old.name}: submission ${at + 1} of ${submissions.length}`);
    const email = addresses.get(one.user);
    if (email === undefined) {
      nameless.set(one.user, (nameless.get(one.user) ?? 0) + 1);
      counts.left++;
      continue;
    }
    const fingerprint = fingerprintOf(one, email);
    const before = here.get(key("submission", one.id));
    if (before === fingerprint) counts.unchanged++;
    else if (wanted.dryRun) counts[before === undefined ? "brought" : "changed"]++;
    else
      try {
        await bring(bringing, task!, one, { email, fingerprint, known: before !== undefined }, counts);
        failures = 0;
      } catch (error) {
        if (!(error instanceof LanistaError) || !isItsOwn(error) || ++failures >= MOST_FAILURES) throw error;
        counts.left++;
        report.leave(`submission ${one.id} of task ${old.name}`, error);
      }
  }
  for (const [user, count] of nameless)
    report.leave(
      `${plural(count, "submission")} of person ${user} for task ${old.name}`,
      "that person did not come over",
    );
  tellOfResults(bringing, old, points, submissions);
}

/** Also what the site alone ails with, or does not show: the rest may still come over. */
const isItsOwn = ({ code }: LanistaError): boolean =>
  isAboutOne(code) || code === "unavailable" || code === "forbidden";

async function bring(
  bringing: Bringing,
  task: Task,
  one: OldSubmission,
  as: { readonly email: string; readonly fingerprint: string; readonly known: boolean },
  counts: TaskReport,
): Promise<void> {
  const { client, key, source, progress, report } = bringing;
  const { point, error } = one;
  const bytes = as.known ? undefined : await source.bundle(one);
  const bundle =
    bytes && (await ask(bringing, () => handed(client, task.spaceId, bytes, (text) => progress.update(text))));
  const answer = await ask(bringing, () =>
    client.grades.importSubmission({
      taskId: task.id,
      key: key("submission", one.id),
      fingerprint: as.fingerprint,
      email: as.email,
      arrivedAt: timestampFromDate(one.created),
      counts: one.marked,
      notes: one.notes,
      ...(bundle === undefined ? {} : { bundle }),
      ...(point === null ? {} : { value: point }),
      fault: point !== null || error === null ? Fault.UNSPECIFIED : FAULTS[error],
    }),
  );
  if (answer.change === Change.BROUGHT) counts.brought++;
  else if (answer.change === Change.UPDATED) counts.changed++;
  else counts.unchanged++;
  if (answer.submission?.heldFor !== "") report.held++;
}

/** Of all that may change at the source. */
function fingerprintOf({ created, point, error, notes, marked }: OldSubmission, email: string): string {
  const said = JSON.stringify([email, created.toISOString(), point, error, notes, marked]);
  return createHash("sha256").update(said).digest("hex");
}

function tellOfResults(
  { report }: Bringing,
  old: OldTask,
  points: number,
  submissions: readonly OldSubmission[],
): void {
  const outside = submissions.filter(({ point }) => point !== null && (point < 0 || point > points));
  if (outside.length > 0)
    report.note(
      `task ${old.name}: ${plural(outside.length, "result")} under 0 or over ${scoreText(points)} points count as these`,
    );
  const without = submissions.filter(({ point, error }) => point === null && error === null);
  if (without.length > 0)
    report.note(
      `task ${old.name}: ${plural(without.length, "submission has", "submissions have")} no result at the source`,
    );
}
