/**
 * `/api/auth/…`: better-auth's routes behind our bounds. Who may sign up is decided here: with `signup: invited` the
 * request's body carries an invitation's code, which is used up with the account it makes.
 */

import { LanistaError } from "@lanista/api/errors";
import { z } from "zod";
import type { Accounts } from "../accounts/accounts.ts";
import { returnUse, takeUse } from "../accounts/invitations.ts";
import type { App } from "../app.ts";
import type { RateLimits } from "../rpc/rate-limit.ts";
import { tellAccount, userOf } from "./account-log.ts";
import { setHeader } from "./headers.ts";
import type { NodeServerRequest, NodeServerResponse } from "./node.ts";
import { readBody } from "./read-body.ts";
import type { HttpRoute, RouteRequest } from "./route.ts";
import { sameSite } from "./same-site.ts";

const MOST_BODY = 16 * 1024;
const BASE = "/api/auth/";
/**
 * What is served, by its very path: better-auth takes some other spellings for the same, which would pass by what is decided
 * here by the path. `true`: it takes a password or a one-time token, so its calls are counted with the attempts to sign in;
 * those of the others as calls of whoever is signed in.
 */
const SERVED: ReadonlyMap<string, boolean> = new Map([
  ["sign-up/email", true],
  ["sign-in/email", true],
  ["sign-out", false],
  ["get-session", false],
  ["list-sessions", false],
  ["revoke-session", false],
  ["revoke-sessions", false],
  ["revoke-other-sessions", false],
  ["request-password-reset", true],
  ["reset-password", true],
  ["change-password", true],
  ["update-user", false],
  ["verify-email", true],
  ["send-verification-email", true],
]);

/** What needs a mail, and who can help without. */
const MAILED: ReadonlyMap<string, string> = new Map([
  ["request-password-reset", "for a one-time token: lanista admin reset YOUR-ADDRESS."],
  ["send-verification-email", "to say that the address is yours: lanista admin user ID --confirmed yes."],
]);

export function authRoute(app: App, accounts: Accounts, limits: RateLimits): HttpRoute {
  return {
    path: BASE,
    methods: ["GET", "POST"],
    async handle(at) {
      const path = at.url.pathname.slice(BASE.length);
      const counted = SERVED.get(path);
      if (counted === undefined) throw new LanistaError("not_found", "there is nothing at this address");
      if (counted)
        for (const [name, value] of Object.entries(await limits.signIn(at.address)))
          setHeader(at.response, name, value);
      else await at.caller();
      if (at.request.method === "POST") checkOrigin(app, at.request);
      const body = at.request.method === "POST" ? await readBody(at.request, MOST_BODY) : null;
      if (
        body !== null &&
        body.byteLength > 0 &&
        !/^application\/json\b/i.test(String(at.request.headers["content-type"]))
      )
        throw new LanistaError("invalid", "the body must be application/json");
      const instead = MAILED.get(path);
      if (instead !== undefined && app.config.smtp.url === "")
        throw new LanistaError("conflict", "this server sends no mail", { hint: `Ask an administrator ${instead}` });
      const request = asRequest(app, at, body);
      const answer =
        path === "sign-up/email"
          ? await signUp(app, body ?? Buffer.alloc(0), () => accounts.handle(request))
          : await accounts.handle(request);
      await tellAccount(app, at, path, answer);
      await sendAnswer(at.response, answer);
    },
  };
}

/** A page of another site signs nobody in or out. What says nothing of where it comes from is no browser, and brings no cookie. */
function checkOrigin({ config }: App, { headers }: NodeServerRequest): void {
  const told = new Headers();
  for (const name of ["origin", "sec-fetch-site", "host"] as const) {
    const value = headers[name];
    if (typeof value === "string") told.set(name, value);
  }
  const silent = !told.has("origin") && !told.has("sec-fetch-site") && headers.cookie === undefined;
  if (!silent && !sameSite(told, config.publicUrl))
    throw new LanistaError("forbidden", "only pages of this server may ask for this");
}

const invited = z.looseObject({ invitation: z.string().max(200).optional() });

async function signUp(app: App, body: Buffer, go: () => Promise<Response>): Promise<Response> {
  const { signup } = app.config;
  if (signup === "closed") throw new LanistaError("forbidden", "nobody can sign up here; ask an administrator");
  const code = invited.safeParse(parsed(body)).data?.invitation;
  if (code === undefined) {
    if (signup === "open") return await go();
    throw new LanistaError("forbidden", "signing up needs an invitation", {
      field: "invitation",
      hint: "Send the code of an invitation's link as `invitation`.",
    });
  }
  const invitation = await takeUse(app.db, code);
  let userId: string | undefined;
  try {
    const answer = await go();
    if (answer.ok) userId = userOf(await answer.clone().json());
    return answer;
  } finally {
    if (userId === undefined) await returnUse(app.db, invitation.id);
    else {
      const joining = userId;
      await app.db.transaction().execute((tx) => invitation.join(app, tx, joining));
    }
  }
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw new LanistaError("invalid", "the body is no JSON");
  }
}

function asRequest(app: App, { request, url, address }: RouteRequest, body: Buffer | null): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    // HTTP/2's own (`:path`), and what only we may say.
    if (name.startsWith(":") || name === "x-lanista-address" || value === undefined) continue;
    headers.set(name, Array.isArray(value) ? value.join(", ") : String(value));
  }
  headers.set("x-lanista-address", address);
  // Node's fetch sends Sec-Fetch-Mode, and better-auth would take it for a browser that hides where it comes from.
  if (!headers.has("sec-fetch-site")) headers.delete("sec-fetch-mode");
  return new Request(`${originOf(app, request)}${url.pathname}${url.search}`, {
    method: request.method ?? "GET",
    headers,
    ...(body === null ? {} : { body: new Uint8Array(body) }),
  });
}

function originOf(app: App, request: NodeServerRequest): string {
  if (app.config.publicUrl !== "") return new URL(app.config.publicUrl).origin;
  const host = request.headers.host ?? request.headers[":authority"] ?? "localhost";
  const origin = `http://${String(host)}`;
  if (!URL.canParse(origin)) throw new LanistaError("invalid", "the Host header is none");
  return new URL(origin).origin;
}

async function sendAnswer(response: NodeServerResponse, answer: Response): Promise<void> {
  answer.headers.forEach((value, name) => {
    if (name !== "set-cookie") setHeader(response, name, value);
  });
  const cookies = answer.headers.getSetCookie();
  if (cookies.length > 0) setHeader(response, "set-cookie", cookies);
  const bytes = Buffer.from(await answer.arrayBuffer());
  setHeader(response, "content-length", String(bytes.byteLength));
  response.statusCode = answer.status;
  response.end(bytes);
}
