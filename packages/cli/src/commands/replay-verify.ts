import { verifyReplay } from "@lanista/arena/replay-verify";
import { environments } from "@lanista/games/registry";
import type { Context } from "../context.ts";
import { EXIT } from "../exit-code.ts";
import { readReplay } from "../read-replay.ts";
import { painter, writeJson, writeLine } from "../terminal.ts";
import { plural } from "../units.ts";
import { differenceText } from "../verdict-text.ts";

export async function replayVerify(context: Context, file: string, json: boolean): Promise<void> {
  const { terminal } = context;
  context.endBySignal();
  const verdict = verifyReplay(await readReplay(file), environments);
  if (!verdict.ok) context.exit(EXIT.found);
  if (json) {
    writeJson(terminal, verdict);
    return;
  }
  const paint = painter(terminal, terminal.stdout);
  if (verdict.ok) {
    const played = `${plural(verdict.episodes, "episode")}, ${plural(verdict.steps, "step")}`;
    writeLine(terminal, `${paint("green", "✓ verified")}: ${played} played again with the same result`);
    writeLine(terminal, paint("dim", `hash ${verdict.hash}`));
    return;
  }
  writeLine(terminal, differenceText(verdict, paint));
}
