/** Any method of any service, called by its descriptor; what came of it as one word. */
import { type DescMethod, type DescService, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { fromWire } from "@lanista/api/errors";

/** Streams are read so long, or to their first message. */
const STREAM_MS = 5_000;

export class Connected {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** The answer of a method that is no stream, as bytes. Throws as the client does. */
  async answer(
    service: DescService,
    method: DescMethod,
    request: unknown,
    headers: Readonly<Record<string, string>>,
  ): Promise<Buffer> {
    const client = createClient(service, this.#transport) as unknown as Record<
      string,
      (request: unknown, options: { headers: Readonly<Record<string, string>> }) => Promise<never>
    >;
    return Buffer.from(toBinary(method.output, await client[method.localName]!(request, { headers })));
  }

  /** `ok`, or the code of the error. */
  async call(service: DescService, method: DescMethod, request: unknown): Promise<string> {
    const client = createClient(service, this.#transport) as unknown as Record<
      string,
      (request: unknown, options: { signal: AbortSignal }) => unknown
    >;
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), STREAM_MS);
    try {
      const answer = client[method.localName]!(request, { signal: stop.signal });
      if (method.methodKind === "server_streaming") {
        for await (const _ of answer as AsyncIterable<unknown>) break;
      } else await answer;
      return "ok";
    } catch (error) {
      if (ConnectError.from(error).code === Code.Unimplemented) return "unimplemented";
      return fromWire(error).code;
    } finally {
      clearTimeout(timer);
      stop.abort();
    }
  }
}

export function connected(baseUrl: string, token: string | undefined): Connected {
  return new Connected(
    createConnectTransport({
      baseUrl,
      httpVersion: "1.1",
      interceptors: [
        (next) => (request) => {
          if (token !== undefined) request.header.set("authorization", `Bearer ${token}`);
          return next(request);
        },
      ],
    }),
  );
}
