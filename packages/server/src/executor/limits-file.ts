/** Reads a limits.yaml. What is wrong in it is refused before the server starts, each with its line. */
import { readFileSync, statSync } from "node:fs";
import { LanistaError } from "@lanista/api/errors";
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { type LimitsFile, limitsSchema } from "./limits-schema.ts";

const MOST_BYTES = 1024 * 1024;

/** `path` empty: the defaults. Throws LanistaError `invalid` with one line for each thing that is wrong. */
export function loadLimits(path: string): LimitsFile {
  if (path === "") return parseLimits("", "limits.yaml");
  let text: string;
  try {
    if (statSync(path).size > MOST_BYTES) throw new Error(`larger than ${MOST_BYTES} bytes`);
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new LanistaError("invalid", `the executor's limits cannot be read: ${(error as Error).message}`, {
      field: "executor.limitsFile",
      cause: error,
    });
  }
  return parseLimits(text, path);
}

/** `name` is the file's, for messages. */
export function parseLimits(text: string, name: string): LimitsFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number | undefined): string =>
    offset === undefined ? name : `${name}:${lines.linePos(offset).line}`;
  const refuse = (problems: readonly string[]): never => {
    throw new LanistaError("invalid", problems.join("\n"), { field: "executor.limitsFile" });
  };
  if (document.errors.length > 0)
    return refuse(document.errors.map((error) => `${place(error.pos[0])}: ${error.message}`));
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 10 }) ?? {};
  } catch (error) {
    return refuse([`${name}: ${(error as Error).message}`]);
  }
  const parsed = limitsSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  return refuse(parsed.error.issues.flatMap((issue) => sentences(issue, document, place)));
}

type Place = (offset: number | undefined) => string;

function sentences(issue: z.core.$ZodIssue, document: Document, place: Place): string[] {
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => `${place(keyOffset(document, path, key))}: ${[...path, key].join(".")} is no limit`);
  const node = document.getIn(issue.path, true);
  const offset = isNode(node) ? node.range?.[0] : undefined;
  return [`${place(offset)}: ${path.join(".") || "the file"}: ${issue.message}`];
}

function keyOffset(document: Document, path: readonly string[], key: string): number | undefined {
  const map = path.length === 0 ? document.contents : document.getIn(path, true);
  if (!isMap(map)) return undefined;
  const pair = map.items.find((item) => isScalar(item.key) && String(item.key.value) === key);
  return isScalar(pair?.key) ? pair.key.range?.[0] : undefined;
}
