/**
 * Answers a build box's requests: the one way out of it. It can ask for a project's page of a configured index, and for files
 * that such a page named, by a number of ours; there is no third thing to ask. So a program in the box cannot choose where a
 * request goes, and TLS, proxies and credentials stay out here.
 */
import { z } from "zod";
import type { IndexClient } from "./index-client.ts";
import type { IndexSettings } from "./index-settings.ts";
import { PackagesError } from "./packages-error.ts";
import { projectPage } from "./project-page.ts";
import { type IndexFile, writePage } from "./simple-page.ts";

/** What may be on its way to the box, of one answer, before it says that it took some. */
const WINDOW = 1024 * 1024;
const PIECE = 60 * 1024;
const MOST_AT_ONCE = 64;
/** Pages are read as a whole, here: each once, and no more of them than any honest build wants. */
const MOST_PAGE_BYTES = 256 * 1024 * 1024;

const request = z.strictObject({
  method: z.enum(["GET", "HEAD"]),
  path: z.string().max(600),
  headers: z.strictObject({ accept: z.string().max(500).optional(), range: z.string().max(100).optional() }),
});

export interface RelayBounds {
  /** Bytes that the box may have from the index. */
  readonly bytes: number;
  readonly requests: number;
}

export interface RelayParts {
  readonly client: IndexClient;
  readonly settings: IndexSettings;
  readonly bounds: RelayBounds;
  /** Resolves when more may be sent. */
  readonly send: (kind: string, stream: number, data?: Uint8Array) => Promise<void>;
  /** A bound was passed; called once. */
  readonly onExcess: (why: string) => void;
}

interface Stream {
  readonly abort: AbortController;
  underway: number;
  wake: () => void;
}

interface Head {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

export class IndexRelay {
  readonly #parts: RelayParts;
  readonly #streams = new Map<number, Stream>();
  readonly #files: IndexFile[] = [];
  readonly #pages = new Map<string, Promise<{ readonly status: number; readonly text: Buffer }>>();
  readonly #stopping = new AbortController();
  #pageBytes = 0;
  #requests = 0;
  #bytes = 0;
  #outage: PackagesError | undefined;
  #stopped = false;

  constructor(parts: RelayParts) {
    this.#parts = parts;
  }

  /** The first time that the index did not answer, if it ever did not. */
  get outage(): PackagesError | undefined {
    return this.#outage;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Throws on what is no request. */
  ask(id: number, data: Uint8Array): void {
    const asked = request.parse(JSON.parse(Buffer.from(data).toString("utf8")));
    if (this.#streams.has(id)) throw new Error("two requests have one number");
    if (this.#streams.size >= MOST_AT_ONCE) throw new Error("there are too many requests at once");
    if (++this.#requests > this.#parts.bounds.requests)
      this.#exceed(`more than ${this.#parts.bounds.requests} requests`);
    const stream: Stream = { abort: new AbortController(), underway: 0, wake: () => {} };
    this.#streams.set(id, stream);
    this.#answer(id, stream, asked)
      .catch(async (error: unknown) => {
        if (stream.abort.signal.aborted) return;
        if (error instanceof PackagesError && error.kind === "infra") this.#outage ??= error;
        await this.#parts.send("R", id);
      })
      .finally(() => this.#streams.delete(id));
  }

  taken(id: number, bytes: number): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    stream.underway = Math.max(0, stream.underway - bytes);
    stream.wake();
  }

  cancel(id: number): void {
    const stream = this.#streams.get(id);
    stream?.abort.abort();
    stream?.wake();
  }

  stop(): void {
    this.#stopped = true;
    this.#stopping.abort();
    for (const id of this.#streams.keys()) this.cancel(id);
  }

  async #answer(id: number, stream: Stream, asked: z.infer<typeof request>): Promise<void> {
    const page = /^\/i\/(\d{1,3})\/([a-z0-9][a-z0-9-]{0,199})\/$/.exec(asked.path);
    const index = page === null ? undefined : this.#parts.settings.indexes[Number(page[1])];
    if (index !== undefined) return this.#page(id, stream, index, page![2]!);
    const [, number, name] = /^\/f\/(\d{1,7})\/([^/]{1,260})$/.exec(asked.path) ?? [];
    const file = number === undefined ? undefined : this.#files[Number(number)];
    if (file !== undefined && (name === encodeURIComponent(file.filename) || name === file.filename))
      return this.#file(id, stream, file.url, asked);
    if (file?.metadata && decodeURIComponent(name!) === `${file.filename}.metadata`) {
      const url = new URL(file.url);
      url.pathname += ".metadata";
      return this.#file(id, stream, url, asked);
    }
    return this.#whole(id, stream, { status: 404, headers: {} }, Buffer.from("not of this index"));
  }

  async #page(id: number, stream: Stream, index: URL, project: string): Promise<void> {
    const key = `${index.href} ${project}`;
    let page = this.#pages.get(key);
    if (page === undefined) {
      page = this.#fetchPage(index, project);
      this.#pages.set(key, page);
      page.catch(() => this.#pages.delete(key));
    }
    const { status, text } = await page;
    stream.abort.signal.throwIfAborted();
    await this.#whole(id, stream, { status, headers: { "content-type": "application/vnd.pypi.simple.v1+json" } }, text);
  }

  async #fetchPage(index: URL, project: string): Promise<{ readonly status: number; readonly text: Buffer }> {
    const page = await projectPage(this.#parts.client, index, project, this.#stopping.signal);
    this.#count(page.bytes);
    this.#pageBytes += page.bytes;
    if (this.#pageBytes > MOST_PAGE_BYTES) this.#exceed(`pages of more than ${MOST_PAGE_BYTES} bytes`);
    const text = writePage(project, page.files, (file) => {
      this.#files.push(file);
      return `/f/${this.#files.length - 1}/${encodeURIComponent(file.filename)}`;
    });
    return { status: page.status, text: Buffer.from(text) };
  }

  async #whole(id: number, stream: Stream, head: Head, body: Buffer): Promise<void> {
    const headers = { ...head.headers, "content-length": String(body.length) };
    await this.#parts.send("H", id, Buffer.from(JSON.stringify({ status: head.status, headers })));
    await this.#body(id, stream, body);
    await this.#parts.send("E", id);
  }

  async #file(id: number, stream: Stream, url: URL, asked: z.infer<typeof request>): Promise<void> {
    const { method } = asked;
    const range = asked.headers.range;
    const answer = await this.#parts.client.get(url, {
      method,
      headers: { "accept-encoding": "identity", ...(range === undefined ? {} : { range }) },
      signal: stream.abort.signal,
    });
    try {
      const headers: Record<string, string> = {};
      for (const name of [
        "content-type",
        "content-length",
        "content-range",
        "accept-ranges",
        "etag",
        "last-modified",
      ]) {
        const value = answer.headers[name];
        if (typeof value === "string") headers[name] = value;
      }
      await this.#parts.send("H", id, Buffer.from(JSON.stringify({ status: answer.statusCode, headers })));
      if (method === "GET")
        for await (const piece of answer as AsyncIterable<Buffer>) {
          this.#count(piece.length);
          await this.#body(id, stream, piece);
        }
      await this.#parts.send("E", id);
    } catch (error) {
      if (stream.abort.signal.aborted) throw error;
      throw new PackagesError("infra", `${url.host} broke off: ${(error as Error).message}`, { cause: error });
    } finally {
      answer.destroy();
    }
  }

  async #body(id: number, stream: Stream, data: Buffer): Promise<void> {
    for (let at = 0; at < data.length; at += PIECE) {
      while (stream.underway >= WINDOW && !stream.abort.signal.aborted)
        await new Promise<void>((resolve) => {
          stream.wake = resolve;
        });
      stream.abort.signal.throwIfAborted();
      const piece = data.subarray(at, at + PIECE);
      stream.underway += piece.length;
      await this.#parts.send("B", id, piece);
    }
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > this.#parts.bounds.bytes) this.#exceed(`more than ${this.#parts.bounds.bytes} bytes`);
  }

  #exceed(what: string): void {
    if (!this.#stopped) this.#parts.onExcess(`it wants ${what} of the package index`);
    this.stop();
  }
}
