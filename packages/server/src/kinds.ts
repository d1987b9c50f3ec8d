/** Every kind of job this server knows, by its name. */
import type { App } from "./app.ts";
import { compareKind } from "./jobs/compare-kind.ts";
import { envCheckKind } from "./jobs/env-check-kind.ts";
import { gradeKind } from "./jobs/grade-kind.ts";
import type { JobKind } from "./jobs/kinds.ts";
import { matchKind } from "./jobs/match-kind.ts";
import { noopKind } from "./jobs/noop-kind.ts";
import { taskCheckKind } from "./jobs/task-check-kind.ts";
import { validateKind } from "./jobs/validate-kind.ts";

export function jobKinds(): App["kinds"] {
  const kinds: readonly JobKind[] = [
    matchKind,
    validateKind,
    gradeKind,
    taskCheckKind,
    compareKind,
    envCheckKind,
    noopKind,
  ];
  return new Map(kinds.map((kind) => [kind.name, kind]));
}
