/**
 * Fetches an agent's code into a file. Every hop of a redirect is judged like the first URL; time, bytes and hops are
 * bounded; nothing is unpacked and no encoding undone, so bytes on the wire are bytes on the disk.
 */
import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { LanistaError } from "@lanista/api/errors";
import { Agent, type Dispatcher, request } from "undici";
import { type Address, allowedAddresses, type HostRules, pinned } from "./addresses.ts";

export interface DownloadRules extends HostRules {
  readonly maxBytes: number;
  /** For all hops and the body together. */
  readonly seconds: number;
}

const HOPS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Code that is too large: its owner's doing, and no failure of who fetches it. */
export class CodeTooLarge extends Error {
  override readonly name = "CodeTooLarge";
}

/** The last URL, whose path may say what the file is. Throws CodeTooLarge, and LanistaError `invalid` or `unavailable`. */
export async function download(from: string, file: string, rules: DownloadRules, signal?: AbortSignal): Promise<URL> {
  const deadline = AbortSignal.timeout(rules.seconds * 1000);
  const stop = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
  let url = parse(from);
  try {
    for (let hop = 0; hop <= HOPS; hop++) {
      const next = await fetchOnce(url, file, rules, stop);
      if (next === null) return url;
      url = next;
    }
  } catch (error) {
    if (error instanceof LanistaError || error instanceof CodeTooLarge) throw error;
    if (signal?.aborted) throw new LanistaError("cancelled", "the call was cancelled", { cause: error });
    const why = deadline.aborted ? `did not come within ${rules.seconds} seconds` : (error as Error).message;
    throw new LanistaError("unavailable", `${shown(url)}: ${why}`, { cause: error });
  }
  throw new LanistaError("invalid", `${shown(url)}: more than ${HOPS} redirects`);
}

function parse(text: string): URL {
  const url = URL.parse(text);
  if (url === null) throw new LanistaError("invalid", "code_url is no URL");
  return url;
}

const shown = (url: URL): string => `${url.protocol}//${url.host}${url.pathname}`.slice(0, 200);

/** null once the body is in the file; a URL where the server names another place. */
async function fetchOnce(url: URL, file: string, rules: DownloadRules, signal: AbortSignal): Promise<URL | null> {
  const addresses = await allowedAddresses(url, rules, signal);
  const dispatcher = agentFor(addresses, rules.seconds);
  try {
    const headers = { accept: "*/*", "accept-encoding": "identity", "user-agent": "lanista-executor" };
    const response = await request(url, { dispatcher, signal, headers });
    return await take(url, response, file, rules.maxBytes, signal);
  } finally {
    await dispatcher.destroy();
  }
}

/** A literal address needs no lookup, and was judged; a name gets the judged addresses. */
function agentFor(addresses: readonly Address[], seconds: number): Agent {
  const ms = seconds * 1000;
  return new Agent({
    connect: { lookup: pinned(addresses), timeout: Math.min(ms, 10_000), autoSelectFamily: true },
    headersTimeout: ms,
    bodyTimeout: ms,
    maxHeaderSize: 16 * 1024,
    pipelining: 1,
  });
}

async function take(
  url: URL,
  response: Dispatcher.ResponseData,
  file: string,
  maxBytes: number,
  signal: AbortSignal,
): Promise<URL | null> {
  const { statusCode, headers, body } = response;
  if (REDIRECTS.has(statusCode)) {
    body.on("error", () => {}).destroy();
    const place = headers.location;
    const next = typeof place === "string" ? URL.parse(place, url) : null;
    if (next === null) throw new LanistaError("unavailable", `${shown(url)}: redirects to nowhere`);
    return next;
  }
  if (statusCode !== 200) {
    body.on("error", () => {}).destroy();
    throw new LanistaError("unavailable", `${shown(url)}: answered ${statusCode}`);
  }
  const tooLarge = (): CodeTooLarge => new CodeTooLarge(`the code is over ${maxBytes} bytes`);
  if (Number(headers["content-length"] ?? 0) > maxBytes) {
    body.on("error", () => {}).destroy();
    throw tooLarge();
  }
  let bytes = 0;
  async function* bounded(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    for await (const chunk of source) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw tooLarge();
      yield chunk;
    }
  }
  await pipeline(body, bounded, createWriteStream(file, { flags: "w", mode: 0o600 }), { signal });
  return null;
}
