/** Tells aiVLE's graders from tasks of ours, by what lies at the root of a folder or zip. */
import { constants } from "node:fs";
import { access, open, stat } from "node:fs/promises";
import { join } from "node:path";
import { fromFdPromise } from "yauzl";
import { MANIFEST } from "../grading/manifest.ts";
import { BOOTSTRAP } from "./bundle-pair.ts";

/** Names looked at in an archive; a grader is no larger. */
const MOST_ENTRIES = 5000;

/** False for what is neither: then its own reader says what is wrong with it. */
export async function isLegacyGrader(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) return (await has(path, BOOTSTRAP)) && !(await has(path, MANIFEST));
  if (!found?.isFile()) return false;
  const names = await namesOf(path).catch((): string[] => []);
  return names.includes(BOOTSTRAP) && !names.includes(MANIFEST);
}

const has = (folder: string, name: string): Promise<boolean> =>
  access(join(folder, name)).then(
    () => true,
    () => false,
  );

async function namesOf(path: string): Promise<string[]> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const zip = await fromFdPromise(file.fd, { autoClose: false, decodeStrings: false });
    const names: string[] = [];
    for await (const { fileNameRaw } of zip.eachEntry()) {
      names.push(fileNameRaw.toString("utf8"));
      if (names.length > MOST_ENTRIES) break;
    }
    return names;
  } finally {
    await file.close();
  }
}
