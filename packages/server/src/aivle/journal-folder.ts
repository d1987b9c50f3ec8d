/** Where the journal is kept. Not a cache: what is lost of it may be graded twice. */
import { homedir } from "node:os";
import { join } from "node:path";

export function journalFolder(given: string, env: Readonly<Record<string, string | undefined>>): string {
  if (given !== "") return given;
  if (process.getuid?.() === 0) return "/var/lib/lanista/aivle";
  return join(env.XDG_STATE_HOME || join(homedir(), ".local", "state"), "lanista", "aivle");
}
