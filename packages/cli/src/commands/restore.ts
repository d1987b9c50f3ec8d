import { Command } from "commander";
import { backupText, missingText } from "../backup-text.ts";
import type { Context } from "../context.ts";
import { EXIT } from "../exit-code.ts";
import { startProgress } from "../progress.ts";
import { addSettingOptions, settingSources } from "../setting-options.ts";
import { note, writeJson, writeLine } from "../terminal.ts";

export function restoreCommand(context: Context): Command {
  return addSettingOptions(
    new Command("restore")
      .description("put a backup into a new data folder or an empty database")
      .argument("<file>", "what lanista backup wrote"),
    ["dataDir", "databaseUrl", "store.url"],
  )
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      `
All of it or nothing: until the last digest was checked, the database stays empty. Jobs that were running are
tried again when a server starts.

Example:
  $ lanista restore lanista-today.tar.gz --data-dir /var/lib/lanista-new`,
    )
    .action((file: string, options: Readonly<Record<string, unknown>>) => restore(context, file, options));
}

async function restore(context: Context, file: string, options: Readonly<Record<string, unknown>>): Promise<void> {
  const { terminal, signal } = context;
  const [{ loadConfig }, { newPlace }, { restoreBackup }] = await Promise.all([
    import("@lanista/server/config/config"),
    import("@lanista/server/backup/place"),
    import("@lanista/server/backup/restore"),
  ]);
  const { config } = loadConfig(settingSources(context, options));
  const log = { debug: () => {}, info: () => {}, warn: (text: string) => note(terminal, text) };
  const place = await newPlace(config, log);
  const progress = startProgress(terminal);
  try {
    const done = await restoreBackup({ ...place, file, signal, onProgress: (text) => progress.update(text) });
    progress.end();
    if (done.missing.length > 0) context.exit(EXIT.found);
    if (options.json === true) writeJson(terminal, { file, ...done });
    else writeLine(terminal, `${file}: restored ${backupText(done)}`);
    if (done.missing.length > 0) note(terminal, missingText(done));
  } finally {
    progress.end();
    await place.close();
  }
}
