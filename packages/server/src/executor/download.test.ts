import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { download } from "./download.ts";

let folder: string;
const servers: Server[] = [];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lanista-download-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  }
});

/** Its port. */
async function serve(answer: RequestListener): Promise<number> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return (server.address() as AddressInfo).port;
}

const rules = { allowHosts: ["127.0.0.1", "localhost"], allowPrivate: true, maxBytes: 1000, seconds: 5 };
const file = (): string => join(folder, "got");

describe("a download", () => {
  test("is the body's bytes as they are on the wire, and follows redirects", async () => {
    const packed = gzipSync("hello");
    const port = await serve((request, response) => {
      if (request.url === "/first") response.writeHead(302, { location: "/second.zip" }).end("not this");
      else response.writeHead(200, { "content-encoding": "gzip" }).end(packed);
    });
    const url = await download(`http://localhost:${port}/first`, file(), rules);
    expect(url.pathname).toBe("/second.zip");
    expect(readFileSync(file())).toEqual(packed);
  });

  test.each([
    ["says it is larger", { "content-length": "1001" }],
    ["says nothing and is larger", {}],
  ])("that %s than it may be is its owner's fault", async (_, headers) => {
    const port = await serve((_request, response) => {
      response.writeHead(200, headers);
      response.end(Buffer.alloc(1001));
    });
    await expect(download(`http://127.0.0.1:${port}/`, file(), rules)).rejects.toMatchObject({ name: "CodeTooLarge" });
  });

  test("that never ends is cut off at the bound, not at the end", async () => {
    let sent = 0;
    const port = await serve((request, response) => {
      const more = (): void => {
        while (!request.destroyed && sent < 2 ** 30 && response.write(Buffer.alloc(65_536))) sent += 65_536;
      };
      response.on("drain", more);
      more();
    });
    await expect(download(`http://127.0.0.1:${port}/`, file(), rules)).rejects.toMatchObject({ name: "CodeTooLarge" });
    expect(sent).toBeLessThan(2 ** 26);
  });

  test.each([
    ["does not answer", () => {}],
    [
      "sends a byte now and then",
      (_: unknown, response: { write(text: string): void }) => {
        const timer = setInterval(() => response.write("x"), 50);
        servers.at(-1)!.once("close", () => clearInterval(timer));
      },
    ],
  ])("from a server that %s ends with its time", async (_, answer) => {
    const port = await serve(answer as RequestListener);
    await expect(download(`http://127.0.0.1:${port}/`, file(), { ...rules, seconds: 0.5 })).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("0.5 seconds"),
    });
  });

  test("ends when the call is cancelled", async () => {
    const port = await serve(() => {});
    const cancel = new AbortController();
    setTimeout(() => cancel.abort(), 50);
    await expect(download(`http://127.0.0.1:${port}/`, file(), rules, cancel.signal)).rejects.toMatchObject({
      code: "cancelled",
    });
  });

  describe("whose host's name nobody resolves", () => {
    const silent = { ...rules, allowHosts: ["*"], resolve: () => new Promise<never>(() => {}) };

    test("ends with its time", async () => {
      await expect(download("http://a.example/", file(), { ...silent, seconds: 0.2 })).rejects.toMatchObject({
        code: "unavailable",
        message: expect.stringContaining("0.2 seconds"),
      });
    });

    test("ends when the call is cancelled", async () => {
      const cancel = new AbortController();
      setTimeout(() => cancel.abort(), 50);
      await expect(download("http://a.example/", file(), silent, cancel.signal)).rejects.toMatchObject({
        code: "cancelled",
      });
    });

    test("ends with its time where a redirect leads there, too", async () => {
      const port = await serve((_request, response) =>
        response.writeHead(302, { location: "http://a.example/" }).end(),
      );
      await expect(download(`http://127.0.0.1:${port}/`, file(), { ...silent, seconds: 0.3 })).rejects.toMatchObject({
        code: "unavailable",
        message: expect.stringContaining("http://a.example/: did not come"),
      });
    });
  });

  test.each([404, 500, 204])("answered %i is no code", async (status) => {
    const port = await serve((_request, response) => response.writeHead(status).end());
    await expect(download(`http://127.0.0.1:${port}/`, file(), rules)).rejects.toMatchObject({ code: "unavailable" });
  });

  test("from nobody is a failure that names the place, without its query", async () => {
    const port = await serve(() => {});
    servers[0]!.close();
    await expect(download(`http://127.0.0.1:${port}/a?secret=1`, file(), rules)).rejects.toMatchObject({
      code: "unavailable",
      message: expect.not.stringContaining("secret"),
    });
  });

  test("that is sent round in circles ends", async () => {
    let asked = 0;
    const port = await serve((_request, response) => {
      asked++;
      response.writeHead(307, { location: "/again" }).end();
    });
    await expect(download(`http://127.0.0.1:${port}/`, file(), rules)).rejects.toThrow("redirects");
    expect(asked).toBeLessThan(10);
  });

  describe("is judged again at each redirect", () => {
    test.each([
      ["a host that is not listed", "http://evil.example/x.zip"],
      ["the metadata service", "http://169.254.169.254/latest/meta-data/"],
      ["the unspecified address", "http://0.0.0.0/"],
      ["a file", "file:///etc/passwd"],
      ["another protocol", "gopher://127.0.0.1/"],
    ])("to %s", async (_, location) => {
      const port = await serve((_request, response) => response.writeHead(302, { location }).end());
      const open = { ...rules, allowHosts: ["127.0.0.1", "169.254.169.254", "0.0.0.0"] };
      await expect(download(`http://127.0.0.1:${port}/`, file(), open)).rejects.toMatchObject({ code: "invalid" });
    });

    test("to nowhere", async () => {
      const port = await serve((_request, response) => response.writeHead(302).end());
      await expect(download(`http://127.0.0.1:${port}/`, file(), rules)).rejects.toThrow("nowhere");
    });
  });

  test("from this host is refused without asking it, unless private addresses are allowed", async () => {
    let asked = 0;
    const port = await serve((_request, response) => {
      asked++;
      response.end("x");
    });
    const strict = { ...rules, allowPrivate: false };
    for (const host of ["127.0.0.1", "localhost", "0x7f.1", "[::ffff:127.0.0.1]"])
      await expect(download(`http://${host}:${port}/`, file(), { ...strict, allowHosts: ["*"] })).rejects.toMatchObject(
        { code: "invalid" },
      );
    expect(asked).toBe(0);
    await download(`http://localhost:${port}/`, file(), rules);
    expect(asked).toBe(1);
  });
});
