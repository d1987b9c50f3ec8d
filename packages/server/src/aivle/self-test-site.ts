/** A site for one job, on the loopback, with the answers that a worker needs: what the self-test has in the place of aiVLE's. */
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { type Report, readReport } from "./report.ts";

export interface SelfTestSiteOptions {
  readonly token: string;
  readonly queue: string;
  readonly grader: string;
  readonly agent: string;
  readonly limits: { readonly ram_limit: number; readonly vram_limit: number; readonly run_time_limit: number };
}

export class SelfTestSite {
  readonly #options: SelfTestSiteOptions;
  readonly #server: Server;
  readonly #started = Promise.withResolvers<void>();
  readonly #report = Promise.withResolvers<Report>();

  constructor(options: SelfTestSiteOptions) {
    this.#options = options;
    this.#server = createServer(async (request, response) => {
      const found =
        request.headers.authorization === `Token ${options.token}` ? this.#answer(request.url ?? "") : undefined;
      try {
        const answer = found?.(await text(request));
        if (answer === undefined) response.writeHead(404).end();
        else if (typeof answer === "string") response.end(await readFile(answer));
        else response.end(JSON.stringify(answer));
      } catch {
        response.writeHead(400).end();
      }
    });
  }

  /** Resolves when the job is started. */
  get started(): Promise<void> {
    return this.#started.promise;
  }

  get report(): Promise<Report> {
    return this.#report.promise;
  }

  /** The API's address. */
  async start(): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(0, "127.0.0.1", resolve);
    });
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/api/v1`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Text is a file's path. */
  #answer(url: string): ((body: string) => object | string) | undefined {
    const { queue, grader, agent, limits } = this.#options;
    const { pathname } = new URL(url, "http://site");
    switch (pathname.replace(/^\/api\/v1/, "")) {
      case "/queue/":
        return () => ({ results: [{ id: 1, name: queue, cpu_required: 0, ram_required: 0, vram_required: 0 }] });
      case "/jobs/1/start_job/":
        return () => {
          this.#started.resolve();
          return { status: "success", task: 1, submission: 1 };
        };
      case "/tasks/1/":
        return () => ({ id: 1, ...limits });
      case "/tasks/1/download_grader/":
        return () => grader;
      case "/submissions/1/download/":
        return () => agent;
      case "/jobs/1/submit_job/":
        return (body) => {
          this.#report.resolve(readReport(Buffer.from(body)));
          return { status: "success" };
        };
      default:
        return undefined;
    }
  }
}
