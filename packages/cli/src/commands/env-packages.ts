import { SandboxHost } from "@lanista/sandbox/host";
import { PackageSets } from "@lanista/sandbox/python/package-sets";
import type { StoredSet } from "@lanista/sandbox/python/package-store";
import { closing } from "../closing.ts";
import type { Context } from "../context.ts";
import { unclosedText } from "../outcome-text.ts";
import { GUEST_DIR } from "../places.ts";
import { table } from "../table.ts";
import { note, oneLine, writeJson, writeLine } from "../terminal.ts";
import { bytesText, plural } from "../units.ts";

export interface PackagesOptions {
  readonly clean?: true;
  readonly unusedFor: number;
  readonly json?: true;
}

const DAY_SECONDS = 24 * 3600;

export async function envPackages(context: Context, options: PackagesOptions): Promise<void> {
  const { terminal } = context;
  const unclosed = (error: Error): void => note(terminal, unclosedText(error));
  let removed: readonly StoredSet[] = [];
  let sets: readonly StoredSet[] = [];
  await closing(
    await SandboxHost.open(),
    async (host) =>
      closing(
        // Looking removes nothing.
        await PackageSets.open({ host, guestDir: GUEST_DIR, keep: {} }),
        async (opened) => {
          if (options.clean) removed = await opened.collect({ maxAgeSeconds: options.unusedFor * DAY_SECONDS });
          sets = opened.list();
        },
        unclosed,
      ),
    unclosed,
  );
  if (options.json) return writeJson(terminal, { sets, ...(options.clean ? { removed } : {}) });
  if (options.clean) {
    const bytes = removed.reduce((sum, one) => sum + one.bytes, 0);
    writeLine(terminal, `Removed ${plural(removed.length, "set")}, ${bytesText(bytes)}.`);
  }
  if (sets.length === 0) return writeLine(terminal, "There are no sets of packages.");
  const columns = ["set", "python", "size", "last used", "requirements"].map((title) => ({ title }));
  const rows = sets.map((one) => [
    one.key.slice(0, 12),
    one.python,
    bytesText(one.bytes),
    one.inUse ? "in use" : one.usedAt.toISOString().slice(0, 16).replace("T", " "),
    oneLine(one.requirements.join(", ")).slice(0, 80),
  ]);
  writeLine(terminal, table(columns, rows));
}
