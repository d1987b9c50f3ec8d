/**
 * Where the server may connect to for somebody else's sake. A name is resolved here, every address it has is judged, and
 * the connection goes to one that was judged: a name that resolves to another address a moment later gains nothing.
 */
import { lookup } from "node:dns/promises";
import type { LookupFunction } from "node:net";
import { LanistaError } from "@lanista/api/errors";
import ipaddr from "ipaddr.js";

export interface HostRules {
  /** `example.org`, `example.org:8000`, `*.example.org`, `*`. Empty: none. */
  readonly allowHosts: readonly string[];
  /** Whether these may be at private and loopback addresses. */
  readonly allowPrivate: boolean;
  /** All addresses of a name. Default: as this host looks names up, its hosts file included. */
  readonly resolve?: Resolve;
}

export interface Address {
  readonly address: string;
  readonly family: 4 | 6;
}

/** Ranges that belong to a machine or its surroundings, not to the internet; `allowPrivate` opens these and no others. */
const PRIVATE = new Set(["loopback", "private", "uniqueLocal", "carrierGradeNat"]);

/** Whether the address may be connected to. What wraps an IPv4 address in an IPv6 one is judged by the IPv4 one or refused. */
export function mayConnect(text: string, allowPrivate: boolean): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.process(text);
  const range = address.range();
  // ::a.b.c.d, an old way to wrap one.
  if (range === "unicast" && address instanceof ipaddr.IPv6 && address.parts.slice(0, 6).every((part) => part === 0))
    return false;
  return range === "unicast" || (allowPrivate && PRIVATE.has(range));
}

/** Whether the allow-list names the URL's host. */
export function isListed(url: URL, allowHosts: readonly string[]): boolean {
  const host = url.hostname.toLowerCase().replace(/\.$/, "");
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  return allowHosts.some((entry) => {
    const wanted = entry.toLowerCase();
    if (wanted === "*") return true;
    if (wanted.startsWith("*.")) return host.endsWith(wanted.slice(1)) && host.length > wanted.length - 1;
    return wanted === host || wanted === `${host}:${port}`;
  });
}

export type Resolve = (host: string) => Promise<readonly { readonly address: string; readonly family: number }[]>;
const resolveHost: Resolve = (host) => lookup(host, { all: true, verbatim: true });

/**
 * The addresses of a URL's host, if it and all of them are allowed. Throws LanistaError `invalid` where the URL or its host
 * is not, `unavailable` where the name is not known, and the signal's reason.
 */
export async function allowedAddresses(url: URL, rules: HostRules, signal?: AbortSignal): Promise<readonly Address[]> {
  if (url.protocol !== "http:" && url.protocol !== "https:") throw refused(url, "only http and https are fetched");
  if (url.username !== "" || url.password !== "") throw refused(url, "a URL with a password is not fetched");
  if (!isListed(url, rules.allowHosts))
    throw refused(url, `the host ${url.host} is not among those that code is fetched from (executor.allowHosts)`);
  const literal = url.hostname.replace(/^\[|\]$/g, "");
  const found = ipaddr.isValid(literal)
    ? [{ address: literal, family: ipaddr.parse(literal).kind() === "ipv6" ? 6 : 4 }]
    : await lookUp(url.hostname, rules.resolve ?? resolveHost, signal);
  const wrong = found.find(({ address }) => !mayConnect(address, rules.allowPrivate));
  // Without the address: who asks need not learn what names mean in our network.
  if (wrong !== undefined || found.length === 0)
    throw refused(url, `the host ${url.hostname} is at an address that is not connected to (executor.allowPrivate)`);
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
}

/** A lookup cannot be called off, and a nameserver may be silent for minutes: then it is left to itself. */
async function lookUp(host: string, resolve: Resolve, signal: AbortSignal | undefined): ReturnType<Resolve> {
  signal?.throwIfAborted();
  const found = resolve(host).catch((error: Error) => {
    throw new LanistaError("unavailable", `the host ${host} cannot be found: ${error.message}`);
  });
  if (signal === undefined) return await found;
  const over = Promise.withResolvers<never>();
  const stop = (): void => over.reject(signal.reason);
  signal.addEventListener("abort", stop);
  try {
    return await Promise.race([found, over.promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** A lookup that knows these addresses alone. */
export function pinned(addresses: readonly Address[]): LookupFunction {
  return (_host, options, done) => {
    if (options.all === true) done(null, [...addresses]);
    else done(null, addresses[0]!.address, addresses[0]!.family);
  };
}

function refused(url: URL, why: string): LanistaError {
  const shown = `${url.protocol}//${url.host}${url.pathname}`.slice(0, 200);
  return new LanistaError("invalid", `${shown}: ${why}`);
}
