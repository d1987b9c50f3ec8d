/** A line between a worker and its server that can be cut: then nothing gets through, and nobody is told. */
import { connect, createServer, type Server, type Socket } from "node:net";

export class CutProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #cut = false;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(url: string): Promise<CutProxy> {
    const { hostname, port } = new URL(url);
    const server = createServer({ pauseOnConnect: true });
    const proxy = new CutProxy(server);
    server.on("connection", (client) => {
      const upstream = connect(Number(port), hostname);
      for (const [from, to] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        proxy.#sockets.add(from);
        from.on("data", (bytes) => {
          if (!proxy.#cut) to.write(bytes);
        });
        from.on("close", () => {
          proxy.#sockets.delete(from);
          if (!proxy.#cut) to.destroy();
        });
        from.on("error", () => {});
      }
      client.resume();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("not listening");
    return `http://127.0.0.1:${address.port}`;
  }

  /** Swallows every byte from now on, both ways. */
  cut(): void {
    this.#cut = true;
  }

  /** New connections get through again; those of before are reset. */
  mend(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
    this.#cut = false;
  }

  /** Resets what there is; new connections get through. */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
