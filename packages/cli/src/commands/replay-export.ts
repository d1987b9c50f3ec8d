import { mkdir, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { exportReplay } from "@lanista/arena/export/export-replay";
import { environments } from "@lanista/games/registry";
import type { Context } from "../context.ts";
import { EXIT } from "../exit-code.ts";
import { readReplay } from "../read-replay.ts";
import { note, painter, writeJson, writeLine } from "../terminal.ts";
import { bytesText } from "../units.ts";
import { differenceText } from "../verdict-text.ts";

export async function replayExport(
  context: Context,
  file: string,
  options: { readonly output?: string; readonly json?: true },
): Promise<void> {
  const { terminal } = context;
  context.endBySignal();
  const exported = exportReplay(await readReplay(file), environments);
  if (!exported.ok) {
    context.exit(EXIT.found);
    if (options.json) writeJson(terminal, exported);
    note(terminal, `No page was written: ${differenceText(exported, painter(terminal, terminal.stderr))}`);
    return;
  }
  const output = resolve(options.output ?? `${file.replace(/(\.jsonl)?(\.gz)?$/, "")}.html`);
  await mkdir(dirname(output), { recursive: true });
  await writeFile(output, exported.html);
  const bytes = Buffer.byteLength(exported.html);
  if (options.json) writeJson(terminal, { ok: true, file: output, bytes });
  else writeLine(terminal, `Wrote ${output} (${bytesText(bytes)}): open it in a browser.`);
}
