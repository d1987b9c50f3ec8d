/** `/healthz`: the process answers. `/readyz`: it can do its work; fails as soon as it begins to stop. `/`: a word to people. */
import { ENGINE_VERSION } from "@lanista/arena/version";
import { sql } from "kysely";
import type { App } from "../app.ts";
import { setHeader } from "./headers.ts";
import { type HttpRoute, send, sendJson } from "./route.ts";

const CHECK_MS = 3_000;
const METHODS = ["GET", "HEAD"];

export function healthRoutes(app: App): readonly HttpRoute[] {
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
        const missing = await unready(app);
        sendJson(response, missing.length === 0 ? 200 : 503, {
          status: missing.length === 0 ? "ready" : "not ready",
          missing,
        });
      },
    },
    { path: "/", methods: METHODS, handle: async ({ response }) => statusPage(app, response) },
  ];
}

/** What is missing, in single words; nothing of errors' texts. */
export async function unready(app: App): Promise<readonly string[]> {
  if (app.stopping.aborted) return ["stopping"];
  const checks = { database: () => sql`SELECT 1`.execute(app.db), store: () => app.store.check() };
  const found = await Promise.all(
    Object.entries(checks).map(async ([name, check]) => ((await within(check)) ? [] : [name])),
  );
  return found.flat();
}

async function within(check: () => Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, CHECK_MS, false);
  });
  const done = check().then(
    () => true,
    () => false,
  );
  return await Promise.race([done, late]).finally(() => clearTimeout(timer));
}

async function statusPage(app: App, response: Parameters<typeof setHeader>[0]): Promise<void> {
  const missing = await unready(app);
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
