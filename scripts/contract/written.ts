/** Generated files: written, or with `--check` compared. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { relative } from "node:path";

/** With `--check` the process ends with 1 where the file is not `text`. */
export function writeOrCheck(path: string, text: string): void {
  if (!process.argv.includes("--check")) {
    writeFileSync(path, text);
    return;
  }
  if (existsSync(path) && readFileSync(path, "utf8") === text) return;
  console.error(`${relative(process.cwd(), path)} is not up to date: run npm run docs`);
  process.exitCode = 1;
}
