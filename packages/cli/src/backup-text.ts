import type { BackupSummary } from "@lanista/server/backup/format";
import { bytesText, plural } from "./units.ts";

export function backupText(done: BackupSummary): string {
  const { rows, tables, blobs, blobBytes, schema, createdAt } = done;
  return `${plural(rows, "row")} of ${plural(tables, "table")}, ${plural(blobs, "blob")} (${bytesText(blobBytes)}); schema ${schema}, as of ${createdAt}`;
}

/** Empty if none is missing. */
export function missingText({ missing }: BackupSummary): string {
  if (missing.length === 0) return "";
  const named = missing.slice(0, 5).join(", ");
  return `The store lacks ${plural(missing.length, "blob")} that the database speaks of: ${named}${missing.length > 5 ? ", …" : ""}`;
}
