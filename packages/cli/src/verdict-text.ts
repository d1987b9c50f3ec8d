import type { Difference } from "@lanista/arena/replay-verify";
import { oneLine, type Paint } from "./terminal.ts";

/** The first difference between a replay and the rules. Episodes and steps count from 0. */
export function differenceText({ episode, step, what }: Difference, paint: Paint): string {
  const where = episode === null ? "" : `episode ${episode}${step === null ? "" : `, step ${step}`}: `;
  return `${paint("red", "✗ differs")}: ${where}${oneLine(what)}`;
}
