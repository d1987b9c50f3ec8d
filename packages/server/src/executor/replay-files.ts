/** A match's replay in RL Arena's two forms: at URLs of this server's, and in a folder where one is named. */
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { LanistaError } from "@lanista/api/errors";
import { MatchStatus } from "@lanista/api/gen/executor/executor_pb";
import { exportReplay } from "@lanista/arena/export/export-replay";
import { sha256 } from "@lanista/arena/sha256";
import { environments } from "@lanista/games/registry";
import { parseReplay } from "@lanista/games/replay";
import { MAX_REPLAY } from "@lanista/games/replay-limits";
import type { Replay } from "@lanista/games/replay-types";
import { validate as isUuid, v4 as uuid } from "uuid";
import type { App } from "../app.ts";
import { type EndedMatch, type ReplayUrls, statusOf, winnerOf } from "./answer.ts";
import type { Executor } from "./executor.ts";
import type { LimitsFile } from "./limits-schema.ts";
import { readEnded } from "./record.ts";
import { type ReplayAbout, replayDocument } from "./replay-json.ts";

const unpack = promisify(gunzip);
const pack = promisify(gzip);

/** Below it, `<match>.json` and `<match>.html`, by the match's own id here. */
export const REPLAY_PATH = "/executor/replays/";

/** A match that has a replay, before a look into it. */
export interface ReplayPlace {
  readonly id: string;
  readonly blob: string;
  readonly from: Date;
  readonly to: Date;
}

export interface MatchReplay {
  readonly id: string;
  readonly replay: Replay;
  readonly about: ReplayAbout;
}

const STATUS: Readonly<Record<MatchStatus, ReplayAbout["status"]>> = {
  [MatchStatus.STATUS_UNKNOWN]: "error",
  [MatchStatus.STATUS_SUCCESS]: "completed",
  [MatchStatus.STATUS_TIMEOUT]: "timeout",
  [MatchStatus.STATUS_ERROR]: "error",
  [MatchStatus.STATUS_CANCELLED]: "cancelled",
};

/** Whether `readReplay` would give one, without a look into it. */
export async function hasReplay(app: App, matchId: string, { result }: EndedMatch): Promise<boolean> {
  if (result === null || result.steps + result.episodes === 0) return false;
  const row = await app.db.selectFrom("matches").select("replay_blob").where("id", "=", matchId).executeTakeFirst();
  return (row?.replay_blob ?? null) !== null;
}

/** null where the match is not the executor's, has not ended, or has no replay. */
export async function findReplay(app: App, matchId: string): Promise<ReplayPlace | null> {
  if (!isUuid(matchId)) return null;
  const row = await app.db
    .selectFrom("executor_matches as e")
    .innerJoin("matches as m", "m.id", "e.match_id")
    .innerJoin("jobs as j", "j.id", "m.job_id")
    .select(["m.replay_blob", "m.ended_at", "j.started_at"])
    .where("m.id", "=", matchId)
    .executeTakeFirst();
  if (row === undefined || row.replay_blob === null || row.ended_at === null) return null;
  return { id: matchId, blob: row.replay_blob, from: row.started_at ?? row.ended_at, to: row.ended_at };
}

/** null where no step of it was played. */
export async function readReplay(app: App, { id, blob, from, to }: ReplayPlace): Promise<MatchReplay | null> {
  const ended = await readEnded(app.db, id);
  if (ended === null) return null;
  const packed = await app.store.get(blob);
  const text = (await unpack(packed, { maxOutputLength: MAX_REPLAY })).toString("utf8");
  const replay = parseReplay(text, sha256);
  if (replay.episodes.length === 0) return null;
  return { id, replay, about: aboutOf(ended, from, to) };
}

function aboutOf(ended: EndedMatch, from: Date, to: Date): ReplayAbout {
  return {
    matchId: ended.matchId,
    agents: ended.agents,
    startTime: from.getTime() / 1000,
    endTime: to.getTime() / 1000,
    winner: winnerOf(ended),
    status: STATUS[statusOf(ended)],
  };
}

export function replayJson({ replay, about }: MatchReplay, options: LimitsFile["replay"]): string {
  const document = replayDocument(replay, environments, about, options);
  if (document === null) throw new LanistaError("internal", "the replay does not verify");
  return JSON.stringify(document);
}

export function replayHtml({ replay }: MatchReplay): string {
  const page = exportReplay(replay, environments);
  if (!page.ok) throw new LanistaError("internal", `the replay has no page: ${page.what}`);
  return page.html;
}

/** As `replay.format` says: `json` gives both forms, `html` the page alone, under both names. */
export function replayUrls({ app, limits }: Executor, id: string): ReplayUrls {
  const { config } = app;
  const base = config.publicUrl === "" ? `http://${shownHost(config.http.host)}:${config.http.port}` : config.publicUrl;
  const url = (ending: string): string => `${base.replace(/\/+$/, "")}${REPLAY_PATH}${id}.${ending}`;
  return { json: url(limits.replay.format === "html" ? "html" : "json"), html: url("html") };
}

function shownHost(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "localhost";
  return host.includes(":") ? `[${host}]` : host;
}

/** A file's name may come from the caller only as far as it is one. */
const PLAIN_NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/;

/** Into executor.replayDir or the limits' replay_dir, where there is one: by the caller's own name of the match. */
export async function writeReplayFiles({ app, limits }: Executor, id: string): Promise<void> {
  const folder = app.config.executor.replayDir || limits.replayDir;
  const place = folder === "" ? null : await findReplay(app, id);
  const replay = place === null ? null : await readReplay(app, place);
  if (replay === null) return;
  await mkdir(folder, { recursive: true });
  const { matchId } = replay.about;
  const name = PLAIN_NAME.test(matchId) ? matchId : replay.id;
  if (limits.replay.format === "json") {
    const json = replayJson(replay, limits.replay);
    if (limits.replay.compress) await writeWhole(join(folder, `${name}.json.gz`), await pack(json));
    else await writeWhole(join(folder, `${name}.json`), json);
  }
  await writeWhole(join(folder, `${name}.html`), replayHtml(replay));
}

/** Beside and renamed: a file of that name is always whole. */
async function writeWhole(path: string, bytes: string | Uint8Array): Promise<void> {
  const beside = `${path}.${uuid()}.tmp`;
  try {
    await writeFile(beside, bytes, { flag: "wx" });
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}
