import { Command } from "commander";
import { backupText, missingText } from "../backup-text.ts";
import type { Context } from "../context.ts";
import { EXIT } from "../exit-code.ts";
import { startProgress } from "../progress.ts";
import { addSettingOptions, settingSources } from "../setting-options.ts";
import { note, writeJson, writeLine } from "../terminal.ts";

export function backupCommand(context: Context): Command {
  return addSettingOptions(
    new Command("backup")
      .description("write all of a server's state into one file, while it runs or not")
      .argument("<file>", "where to; must not be there yet"),
    ["dataDir", "databaseUrl", "store.url"],
  )
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      `
The file holds everything, password hashes too: only its owner can read it. Ends with 1 if the store lacks
something that the database speaks of; the backup is written all the same.

Example:
  $ lanista backup lanista-today.tar.gz --data-dir /var/lib/lanista`,
    )
    .action((file: string, options: Readonly<Record<string, unknown>>) => backup(context, file, options));
}

async function backup(context: Context, file: string, options: Readonly<Record<string, unknown>>): Promise<void> {
  const { terminal, signal } = context;
  const [{ loadConfig }, { usedPlace }, { writeBackup }] = await Promise.all([
    import("@lanista/server/config/config"),
    import("@lanista/server/backup/place"),
    import("@lanista/server/backup/backup"),
  ]);
  const { config } = loadConfig(settingSources(context, options));
  const log = { debug: () => {}, info: () => {}, warn: (text: string) => note(terminal, text) };
  const place = await usedPlace(config, log);
  const progress = startProgress(terminal);
  try {
    const done = await writeBackup({ ...place, file, signal, onProgress: (text) => progress.update(text) });
    progress.end();
    if (done.missing.length > 0) context.exit(EXIT.found);
    if (options.json === true) writeJson(terminal, { file, ...done });
    else writeLine(terminal, `${file}: ${backupText(done)}`);
    if (done.missing.length > 0) note(terminal, missingText(done));
  } finally {
    progress.end();
    await place.close();
  }
}
