/** What the parts of an import share. */
import type { LanistaClient } from "@lanista/api/client";
import type { OldSource } from "@lanista/server/aivle/import/old-course";
import type { Context } from "../../context.ts";
import type { Progress } from "../../progress.ts";
import { patiently } from "./at-server.ts";
import type { ImportReport } from "./report.ts";

export interface Wanted {
  readonly dryRun: boolean;
  /** What full marks of each task are; undefined: 100, or as much as the best has. */
  readonly points: number | undefined;
  /** Of ours, for every task; undefined: the one of the same name. */
  readonly queue: string | undefined;
  readonly open: boolean;
  readonly wait: boolean;
  /** Where new invitations' codes are written. */
  readonly codes: string | undefined;
}

export interface Bringing {
  readonly context: Context;
  readonly client: LanistaClient;
  /** Our course's short name. */
  readonly space: string;
  readonly source: OldSource;
  /** What the source's things are named by, here: the same at each import of it. */
  readonly key: (kind: "task" | "submission", id: number) => string;
  readonly wanted: Wanted;
  readonly report: ImportReport;
  readonly progress: Progress;
}

/** A call of our server's. */
export const ask = <T>({ context }: Bringing, call: () => Promise<T>): Promise<T> => patiently(context.signal, call);

export const MIB = 2 ** 20;
