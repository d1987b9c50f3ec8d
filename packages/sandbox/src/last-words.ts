import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** Bytes: a runtime that complains of every one of an agent's deeds may fill its log without end. */
const MOST = 2000;

/** The end of a log, however long that is; "" where there is none. */
export function lastWords(path: string): string {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return "";
  }
  try {
    const bytes = Buffer.alloc(MOST);
    const read = readSync(file, bytes, 0, MOST, Math.max(0, fstatSync(file).size - MOST));
    return bytes.toString("utf8", 0, read).trim();
  } finally {
    closeSync(file);
  }
}
