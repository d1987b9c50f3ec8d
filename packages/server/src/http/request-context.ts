/** What is known of a request before its body is read: its id, and where it comes from. */
import { type ContextValues, createContextKey, createContextValues } from "@connectrpc/connect";
import ipaddr from "ipaddr.js";
import { v7 as uuid } from "uuid";
import { requestIdKey } from "../auth/caller.ts";
import type { NodeServerRequest } from "./node.ts";

/** The client's, as text. */
export const addressKey = createContextKey<string>("");

const SANE = /^[A-Za-z0-9._:-]{8,100}$/;

/** The caller's own `x-request-id` where it is sane, else one of ours; settled in the request's headers. */
export function settleRequestId(request: NodeServerRequest): string {
  const given = request.headers["x-request-id"];
  const id = typeof given === "string" && SANE.test(given) ? given : uuid();
  request.headers["x-request-id"] = id;
  return id;
}

export function contextOf(request: NodeServerRequest, proxies: TrustedProxies): ContextValues {
  return createContextValues()
    .set(requestIdKey, String(request.headers["x-request-id"] ?? ""))
    .set(addressKey, proxies.clientOf(request));
}

/** Whose X-Forwarded-For is believed. */
export class TrustedProxies {
  readonly #ranges: readonly [ipaddr.IPv4 | ipaddr.IPv6, number][];

  /** Addresses and networks such as `10.0.0.0/8`. Throws on what is neither. */
  constructor(trusted: readonly string[]) {
    this.#ranges = trusted.map((text) => {
      if (text.includes("/")) return ipaddr.parseCIDR(text);
      const address = ipaddr.parse(text);
      return [address, address.kind() === "ipv4" ? 32 : 128];
    });
  }

  /** The last address in the chain that is no trusted proxy's. */
  clientOf(request: NodeServerRequest): string {
    let client = plain(request.socket.remoteAddress ?? "");
    const header = request.headers["x-forwarded-for"];
    const chain = (Array.isArray(header) ? header.join(",") : (header ?? "")).split(",").slice(-32);
    while (this.#trusts(client)) {
      const before = chain.pop()?.trim();
      if (before === undefined || !ipaddr.isValid(before)) break;
      client = plain(before);
    }
    return client;
  }

  #trusts(text: string): boolean {
    if (!ipaddr.isValid(text)) return false;
    const address = ipaddr.parse(text);
    return this.#ranges.some(([range, bits]) => range.kind() === address.kind() && address.match(range, bits));
  }
}

/** An IPv4 address in IPv6's clothes is one. */
function plain(text: string): string {
  return ipaddr.isValid(text) ? ipaddr.process(text).toString() : text;
}
