import { connect, type Socket } from "node:net";
import { expect, test } from "vitest";
import { send } from "./route.ts";
import { listenHttp } from "./servers.ts";

/** Whether a request on a connection of its own is answered. */
const answered = async (url: string): Promise<boolean> =>
  await fetch(url, { headers: { connection: "close" } }).then(
    ({ ok }) => ok,
    () => false,
  );

test.each([
  ["say nothing", ""],
  ["send half a request", "GET / HTTP/1.1\r\nhost: x\r\n"],
  ["send garbage", "\u0000\u0001\u0002\r\n\r\n"],
])(
  "clients that %s, and never close, do not keep their places",
  async (_what, text) => {
    const connections = 4;
    const server = await listenHttp({ host: "127.0.0.1", port: 0 }, { connections, requestSeconds: 1 }, (_, response) =>
      send(response, 200, "text/plain", "here"),
    );
    const clients: Socket[] = [];
    try {
      for (let count = 0; count < connections; count++) {
        const client = connect({ host: "127.0.0.1", port: server.port, allowHalfOpen: true });
        client.on("error", () => {});
        await new Promise<void>((resolve) => client.once("connect", resolve));
        if (text !== "") client.write(text);
        clients.push(client);
      }
      await expect.poll(() => answered(server.url), { timeout: 8_000, interval: 200 }).toBe(true);
    } finally {
      for (const client of clients) client.destroy();
      server.destroy();
      await server.drain();
    }
  },
  15_000,
);
