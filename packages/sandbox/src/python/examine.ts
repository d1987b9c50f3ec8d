/** For `lanista doctor`: whether sets of packages can be built here. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "../roots/root-cache.ts";
import { IndexClient } from "./index-client.ts";
import { type IndexOptions, indexSettings, shownUrl } from "./index-settings.ts";
import { projectPage } from "./project-page.ts";
import { pinnedPlace, pinnedWheel, UV_VERSION } from "./uv.ts";

const ANSWER_MS = 15_000;

export interface PackagesReport {
  /** Without credentials; empty where there is to be none. */
  readonly indexes: readonly string[];
  readonly folders: readonly string[];
  readonly uv: string;
  /** `cached`: it is here already; `index`: it can be fetched. */
  readonly uvFrom: "cached" | "folder" | "index" | null;
  /** What stands against building, and what to do; null where nothing does. */
  readonly problem: string | null;
}

/** Asks the index for one page. Never throws. */
export async function examinePackages(options: IndexOptions = {}, cacheDir = cacheFolder()): Promise<PackagesReport> {
  const base = { indexes: [], folders: [], uv: UV_VERSION, uvFrom: null };
  try {
    const settings = indexSettings(options);
    const known = { ...base, indexes: settings.indexes.map(shownUrl), folders: settings.folders };
    const file = pinnedWheel().file;
    const here = existsSync(join(pinnedPlace(join(cacheDir, "packages", "uv")), "uv"));
    const inFolder = settings.folders.some((folder) => existsSync(join(folder, file)));
    const client = new IndexClient(settings);
    try {
      let offered = false;
      for (const index of settings.indexes) {
        const page = await projectPage(client, index, "uv", AbortSignal.timeout(ANSWER_MS));
        offered ||= page.files.some(({ filename }) => filename === file);
      }
      const uvFrom = here ? "cached" : inFolder ? "folder" : offered ? "index" : null;
      const problem = uvFrom === null ? `uv ${UV_VERSION} is not to be had: no index or folder has ${file}` : null;
      return { ...known, uvFrom, problem };
    } catch (error) {
      const { name, message } = error as Error;
      const problem = name === "TimeoutError" ? `the index says nothing for ${ANSWER_MS / 1000} seconds` : message;
      return { ...known, uvFrom: here ? "cached" : inFolder ? "folder" : null, problem };
    } finally {
      client.close();
    }
  } catch (error) {
    return { ...base, problem: (error as Error).message };
  }
}
