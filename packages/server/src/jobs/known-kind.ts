import type { App } from "../app.ts";
import type { JobKind } from "./kinds.ts";

/** A job's kind by its name; one that nobody registered is a fault of ours. */
export function knownKind(app: App, name: string): JobKind {
  const kind = app.kinds.get(name);
  if (kind === undefined) throw new Error(`no such kind of job: ${name}`);
  return kind;
}
