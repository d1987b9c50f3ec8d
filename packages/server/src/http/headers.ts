/** Headers that every answer carries: nothing here may be framed, sniffed, or run as a page's script. */
import type { ServerResponse } from "node:http";
import type { NodeServerResponse } from "./node.ts";

const ALWAYS = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "cache-control": "no-store",
} as const;

/** Before the handler: one that serves a page of its own sets what it needs over these. */
export function setSecurityHeaders(response: NodeServerResponse, secure: boolean): void {
  for (const [name, value] of Object.entries(ALWAYS)) setHeader(response, name, value);
  if (secure) setHeader(response, "strict-transport-security", "max-age=31536000");
}

/** HTTP/1's and HTTP/2's answers have it alike; their common type says it twice over. */
export function setHeader(response: NodeServerResponse, name: string, value: string | readonly string[]): void {
  (response as ServerResponse).setHeader(name, value as string | string[]);
}
