/** A package index of this process, over a folder of packages: real answers, and a list of what was asked for. */
import { createReadStream, readdirSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

export interface IndexServer {
  /** With its credentials, where it wants some. */
  readonly url: string;
  readonly port: number;
  /** Every path that was asked for, by those who had the credentials; `refused` counts the others. */
  readonly asked: readonly string[];
  readonly refused: number;
  /** What it answers from now on, whatever is asked. */
  failWith(status: number | undefined): void;
  close(): Promise<void>;
}

const projectOf = (file: string): string =>
  /^(.+?)-\d/
    .exec(file)![1]!
    .toLowerCase()
    .replace(/[-_.]+/g, "-");

export async function startIndex(
  folder: string,
  options: { readonly format?: "json" | "html"; readonly login?: string } = {},
): Promise<IndexServer> {
  const { format = "json", login } = options;
  const asked: string[] = [];
  let refused = 0;
  let status: number | undefined;
  const server = createServer((request, response) => {
    const path = request.url!;
    if (login !== undefined && request.headers.authorization !== `Basic ${Buffer.from(login).toString("base64")}`) {
      refused++;
      response.writeHead(401).end();
      return;
    }
    asked.push(path);
    if (status !== undefined) {
      response.writeHead(status).end();
      return;
    }
    const project = /^\/simple\/([a-z0-9-]+)\/$/.exec(path)?.[1];
    const files = readdirSync(folder).filter((file) => projectOf(file) === project);
    const file = /^\/files\/([^/]+)$/.exec(path)?.[1];
    if (files.length > 0 && format === "json") {
      const page = {
        meta: { "api-version": "1.0" },
        name: project,
        files: files.map((one) => ({ filename: one, url: `../../files/${one}`, hashes: {} })),
      };
      response.writeHead(200, { "content-type": "application/vnd.pypi.simple.v1+json" }).end(JSON.stringify(page));
    } else if (files.length > 0) {
      const links = files.map((one) => `<a href="/files/${one}">${one}</a>`);
      response
        .writeHead(200, { "content-type": "text/html" })
        .end(`<!DOCTYPE html><html><body>${links.join("<br>")}</body></html>`);
    } else if (file !== undefined && readdirSync(folder).includes(file)) {
      response.writeHead(200, { "content-length": statSync(join(folder, file)).size });
      createReadStream(join(folder, file)).pipe(response);
    } else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${login === undefined ? "" : `${login}@`}127.0.0.1:${port}/simple/`,
    port,
    asked,
    get refused() {
      return refused;
    },
    failWith: (next) => {
      status = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
