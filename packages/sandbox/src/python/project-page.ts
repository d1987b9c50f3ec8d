/** Reads what one index says of one project. */
import type { IncomingMessage } from "node:http";
import { createGunzip } from "node:zlib";
import { SandboxError } from "../errors.ts";
import type { IndexClient } from "./index-client.ts";
import { PackagesError } from "./packages-error.ts";
import { ACCEPT, type IndexFile, readPage } from "./simple-page.ts";

const MOST_BYTES = 64 * 1024 * 1024;

export interface ProjectPage {
  readonly status: number;
  readonly files: readonly IndexFile[];
  readonly bytes: number;
}

async function bodyOf(answer: IncomingMessage): Promise<Buffer> {
  const source = answer.headers["content-encoding"] === "gzip" ? answer.pipe(createGunzip()) : answer;
  if (source !== answer) answer.once("error", (error) => source.destroy(error));
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of source as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > MOST_BYTES) throw new Error(`its page is longer than ${MOST_BYTES} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** Throws PackagesError `infra` where the index cannot be read. A project that it does not have is a status. */
export async function projectPage(
  client: IndexClient,
  index: URL,
  project: string,
  signal?: AbortSignal,
): Promise<ProjectPage> {
  const url = new URL(`${project}/`, index);
  const headers = { accept: ACCEPT, "accept-encoding": "gzip" };
  try {
    const answer = await client.get(url, { headers, ...(signal === undefined ? {} : { signal }) });
    if (answer.statusCode !== 200) {
      answer.destroy();
      return { status: answer.statusCode!, files: [], bytes: 0 };
    }
    const body = await bodyOf(answer);
    return {
      status: 200,
      files: readPage(body.toString("utf8"), answer.headers["content-type"] ?? "", url),
      bytes: body.length,
    };
  } catch (error) {
    if (error instanceof SandboxError || signal?.aborted) throw error;
    throw new PackagesError("infra", `the package index ${url.host} cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
