/**
 * One call to the site: a GET, often with a body, because that is what the site has (the web's own `fetch` refuses one). Time
 * and size of the answer are bounded, redirects are not followed: the token goes to nobody else.
 */
import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { LanistaError } from "@lanista/api/errors";
import { Agent, type Dispatcher, request } from "undici";

const ANSWER_BYTES = 1024 * 1024;
const ANSWER_SECONDS = 60;
const DOWNLOAD_SECONDS = 300;

export interface SiteCall {
  /** Below the API's address, as `/jobs/1/start_job/`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly form?: Readonly<Record<string, string>>;
  readonly json?: Buffer;
  /** Of the answer. */
  readonly mostBytes?: number;
}

export interface SiteAnswer {
  readonly status: number;
  readonly text: string;
}

/** Worth another try: the site is away, ails, or asks to be left alone for a while. */
export const isAway = (status: number): boolean => status >= 500 || status === 408 || status === 429;

export class SiteWire {
  readonly #base: string;
  readonly #token: string;
  readonly #agent = new Agent({ connect: { timeout: 10_000 }, maxHeaderSize: 16 * 1024, pipelining: 1 });

  constructor(base: string, token: string) {
    this.#base = base.replace(/\/+$/, "");
    this.#token = token;
  }

  /** Throws LanistaError `unavailable`, `cancelled`. */
  async call(call: SiteCall, signal: AbortSignal): Promise<SiteAnswer> {
    return await this.#within(call.path, ANSWER_SECONDS, signal, async (limit) => {
      const { mostBytes = ANSWER_BYTES } = call;
      const { statusCode, body } = await this.#request(call, limit);
      const pieces: Buffer[] = [];
      let bytes = 0;
      for await (const piece of body as AsyncIterable<Buffer>) {
        bytes += piece.length;
        if (bytes > mostBytes) throw new Error(`answers with more than ${mostBytes} bytes`);
        pieces.push(piece);
      }
      if (isAway(statusCode)) throw new Error(`answers ${statusCode}`);
      return { status: statusCode, text: Buffer.concat(pieces).toString("utf8") };
    });
  }

  /** Writes what is there into the file, if the answer is 200. Throws also LanistaError `too_large`. */
  async download(path: string, file: string, mostBytes: number, signal: AbortSignal): Promise<number> {
    return await this.#within(path, DOWNLOAD_SECONDS, signal, async (limit) => {
      const { statusCode, body } = await this.#request({ path }, limit);
      if (statusCode !== 200) {
        body.on("error", () => {}).destroy();
        if (isAway(statusCode)) throw new Error(`answers ${statusCode}`);
        return statusCode;
      }
      let bytes = 0;
      async function* bounded(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
        for await (const piece of source) {
          bytes += piece.length;
          if (bytes > mostBytes) throw new LanistaError("too_large", `${path}: is over ${mostBytes} bytes`);
          yield piece;
        }
      }
      await pipeline(body, bounded, createWriteStream(file, { mode: 0o600 }), { signal: limit });
      return statusCode;
    });
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  #request({ path, query = {}, form, json }: SiteCall, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const url = new URL(this.#base + path);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const body = json ?? (form === undefined ? null : new URLSearchParams(form).toString());
    const type = json === undefined ? "application/x-www-form-urlencoded" : "application/json";
    return request(url, {
      method: "GET",
      dispatcher: this.#agent,
      signal,
      headers: {
        authorization: `Token ${this.#token}`,
        accept: "application/json, */*",
        "accept-encoding": "identity",
        ...(body === null ? {} : { "content-type": type }),
      },
      body,
    });
  }

  async #within<T>(
    path: string,
    seconds: number,
    signal: AbortSignal,
    work: (limit: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const deadline = AbortSignal.timeout(seconds * 1000);
    try {
      return await work(AbortSignal.any([signal, deadline]));
    } catch (error) {
      if (error instanceof LanistaError) throw error;
      if (signal.aborted) throw new LanistaError("cancelled", "the worker ends", { cause: error });
      const { code, message } = error as NodeJS.ErrnoException;
      const why = deadline.aborted ? `did not answer within ${seconds} seconds` : message || code || "failed";
      throw new LanistaError("unavailable", `the site, ${path}: ${why}`, { cause: error });
    }
  }
}
