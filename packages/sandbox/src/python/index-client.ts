/**
 * Fetches from the configured indexes, and from where these say that their files are. Credentials in an index's address go to
 * that index alone. Redirects are followed here, by the same rules; http is for indexes that are configured so.
 */
import { readFileSync } from "node:fs";
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { getCACertificates } from "node:tls";
import { SandboxError } from "../errors.ts";
import type { IndexSettings } from "./index-settings.ts";
import { PackagesError } from "./packages-error.ts";

const MOST_REDIRECTS = 5;
const WAITS_MS = [300, 1500];
const CONNECTIONS = 16;

export interface Ask {
  readonly method?: "GET" | "HEAD";
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

const again = (status: number): boolean => status === 429 || status >= 500;

export class IndexClient {
  readonly #settings: IndexSettings;
  readonly #https: HttpsAgent;
  readonly #http: HttpAgent;

  constructor(settings: IndexSettings) {
    this.#settings = settings;
    const { caFile } = settings;
    const ca = caFile === undefined ? {} : { ca: [...getCACertificates("default"), readFileSync(caFile, "utf8")] };
    const common = { keepAlive: true, maxSockets: CONNECTIONS, proxyEnv: process.env };
    this.#https = new HttpsAgent({ ...common, ...ca });
    this.#http = new HttpAgent(common);
  }

  close(): void {
    this.#https.destroy();
    this.#http.destroy();
  }

  /**
   * The answer's head, its body unread. Throws PackagesError `infra` if there is none, or the index cannot answer now, after
   * some tries; SandboxError `refused` for an address that may not be fetched.
   */
  async get(url: URL, ask: Ask = {}): Promise<IncomingMessage> {
    for (let tried = 0; ; tried++) {
      let why: string;
      try {
        const answer = await this.#follow(url, ask);
        if (answer.statusCode === 401)
          throw new PackagesError("infra", `the package index ${url.host} does not take our credentials`);
        if (!again(answer.statusCode!)) return answer;
        answer.destroy();
        why = `it answers ${answer.statusCode}`;
      } catch (error) {
        if (error instanceof SandboxError || ask.signal?.aborted) throw error;
        why = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
      }
      const wait = WAITS_MS[tried];
      if (wait === undefined) throw new PackagesError("infra", `the package index ${url.host} is out of reach: ${why}`);
      await sleep(wait, undefined, ask.signal === undefined ? {} : { signal: ask.signal });
    }
  }

  async #follow(first: URL, ask: Ask): Promise<IncomingMessage> {
    let url = first;
    for (let count = 0; count <= MOST_REDIRECTS; count++) {
      const answer = await this.#one(url, ask);
      const { location } = answer.headers;
      if (![301, 302, 303, 307, 308].includes(answer.statusCode!) || location === undefined) return answer;
      answer.destroy();
      const next = URL.parse(location, url);
      if (next === null) break;
      url = next;
    }
    throw new Error("it redirects without end");
  }

  #one(url: URL, ask: Ask): Promise<IncomingMessage> {
    const index = this.#settings.indexes.find((one) => one.origin === url.origin);
    if (index === undefined) {
      const { fileHosts } = this.#settings;
      if (url.protocol !== "https:" || (fileHosts !== undefined && !fileHosts.includes(url.hostname)))
        throw new SandboxError("refused", `${url.host} is neither the package index nor a host for its files`);
    }
    const user = index === undefined || index.username === "" ? undefined : [index.username, index.password];
    const bare = new URL(url);
    bare.username = bare.password = bare.hash = "";
    const secure = url.protocol === "https:";
    return new Promise((resolve, reject) => {
      const sent = (secure ? httpsRequest : httpRequest)(bare, {
        agent: secure ? this.#https : this.#http,
        method: ask.method ?? "GET",
        headers: { "user-agent": "lanista", ...ask.headers },
        ...(user === undefined ? {} : { auth: user.map(decodeURIComponent).join(":") }),
        ...(ask.signal === undefined ? {} : { signal: ask.signal }),
      });
      sent.setTimeout(this.#settings.timeoutSeconds * 1000, () => sent.destroy(new Error("it says nothing")));
      sent.once("response", resolve);
      // Stays for the life of the answer: what breaks later shows in its body too.
      sent.on("error", reject);
      sent.end();
    });
  }
}
