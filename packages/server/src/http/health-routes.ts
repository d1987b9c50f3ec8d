/**
 * `/healthz`: the process answers. `/readyz`: it can do its work; fails as soon as it begins to stop. `/`: a word to people. None
 * of them is counted: a balancer asks often, and they cost nothing.
 */
import { ENGINE_VERSION } from "@lanista/arena/version";
import { setHeader } from "./headers.ts";
import type { Readiness } from "./readiness.ts";
import { type HttpRoute, send, sendJson } from "./route.ts";

const METHODS = ["GET", "HEAD"];

export function healthRoutes(readiness: Readiness): readonly HttpRoute[] {
  return [
    {
      path: "/healthz",
      methods: METHODS,
      handle: async ({ response }) => sendJson(response, 200, { status: "ok" }),
    },
    {
      path: "/readyz",
      methods: METHODS,
      handle: async ({ response }) => {
        const missing = await readiness.missing();
        sendJson(response, missing.length === 0 ? 200 : 503, {
          status: missing.length === 0 ? "ready" : "not ready",
          missing,
        });
      },
    },
    { path: "/", methods: METHODS, handle: async ({ response }) => statusPage(readiness, response) },
  ];
}

async function statusPage(readiness: Readiness, response: Parameters<typeof setHeader>[0]): Promise<void> {
  const missing = await readiness.missing();
  setHeader(
    response,
    "content-security-policy",
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  );
  const state = missing.length === 0 ? "It is up." : `Not ready: ${missing.join(", ")}.`;
  send(
    response,
    missing.length === 0 ? 200 : 503,
    "text/html; charset=utf-8",
    `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Lanista</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}code{background:#8882;padding:.1em .3em}</style>
<h1>Lanista ${ENGINE_VERSION}</h1>
<p>${state}</p>
<p>This is a server. Its API is at <code>/lanista.v1.…Service/…</code> (Connect, gRPC-Web, HTTP with JSON);
accounts are at <code>/api/auth/</code>. On a command line: <code>lanista login</code>.</p>
</html>
`,
  );
}
