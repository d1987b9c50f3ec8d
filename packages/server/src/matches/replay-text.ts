/** A match's replay out of the store. */
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { LanistaError } from "@lanista/api/errors";
import { exportReplay } from "@lanista/arena/export/export-replay";
import { sha256 } from "@lanista/arena/sha256";
import { environments } from "@lanista/games/registry";
import { parseReplay } from "@lanista/games/replay";
import { MAX_REPLAY } from "@lanista/games/replay-limits";
import { type Replay, ReplayError } from "@lanista/games/replay-types";
import type { App } from "../app.ts";
import type { MatchRow } from "./access.ts";

const unpack = promisify(gunzip);

/** JSON Lines, or null where the match has no replay, or not yet. Throws LanistaError `conflict` on what does not unpack. */
export async function replayText(app: App, match: Pick<MatchRow, "replay_blob">): Promise<string | null> {
  if (match.replay_blob === null) return null;
  const packed = await app.store.get(match.replay_blob);
  try {
    return (await unpack(packed, { maxOutputLength: MAX_REPLAY })).toString("utf8");
  } catch (error) {
    throw new LanistaError("conflict", "the replay cannot be read: its worker did not pack it as one", {
      cause: error,
    });
  }
}

/** Throws LanistaError `not_found` where there is none. */
export async function requireReplay(app: App, match: MatchRow): Promise<string> {
  const text = await replayText(app, match);
  if (text === null)
    throw new LanistaError("not_found", "the match has no replay", {
      hint: match.ended_at === null ? "It is not over: watch it." : "",
    });
  return text;
}

/** Throws LanistaError `conflict` where what a worker handed in is no replay. */
export function parsed(text: string): Replay {
  try {
    return parseReplay(text, sha256);
  } catch (error) {
    if (!(error instanceof ReplayError)) throw error;
    throw new LanistaError("conflict", `the replay cannot be read: ${error.message}`, { cause: error });
  }
}

/** A page complete in itself. Throws LanistaError `conflict` where there is nothing to show. */
export function replayPage(text: string): string {
  const page = exportReplay(parsed(text), environments);
  if (!page.ok) throw new LanistaError("conflict", `the replay has no page: ${page.what}`);
  return page.html;
}
