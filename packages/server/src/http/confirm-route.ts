/**
 * `/confirm?token=…`: where the link of the mail leads that asks whose an address is. Following it confirms nothing: what looks through
 * mails for its user follows links too. The page has a button, and what that posts confirms.
 */
import { LanistaError } from "@lanista/api/errors";
import type { Accounts } from "../accounts/accounts.ts";
import type { App } from "../app.ts";
import type { RateLimits } from "../rpc/rate-limit.ts";
import { tellAccount } from "./account-log.ts";
import { setHeader } from "./headers.ts";
import { escaped, policyFor } from "./page.ts";
import { readBody } from "./read-body.ts";
import { type HttpRoute, type RouteRequest, send } from "./route.ts";

const CONFIRM_PATH = "/confirm";
const LONGEST_TOKEN = 2000;
const MOST_BODY = 8 * 1024;

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:3rem auto;padding:0 1rem}
button{font:inherit;padding:.5rem 1.2rem;border:0;border-radius:.3rem;background:#14532d;color:#fff;cursor:pointer}
button:focus-visible{outline:3px solid #4ade80;outline-offset:2px}
@media(prefers-color-scheme:dark){body{background:#111;color:#ddd}}`;
const POLICY = policyFor(STYLE).replace("form-action 'none'", "form-action 'self'");

export interface ConfirmParts {
  readonly app: App;
  readonly accounts: Accounts;
  readonly limits: RateLimits;
  /** Where people reach this server. */
  readonly publicUrl: () => string;
}

export function confirmRoute(parts: ConfirmParts): HttpRoute {
  return {
    path: CONFIRM_PATH,
    methods: ["GET", "HEAD", "POST"],
    async handle(at) {
      if (at.request.method === "POST") return await confirm(parts, at);
      await at.caller();
      const token = at.url.searchParams.get("token") ?? "";
      if (token === "" || token.length > LONGEST_TOKEN) answer(at, 400, NO_GOOD);
      else answer(at, 200, ask(token));
    },
  };
}

/** As `GET /api/auth/verify-email`, which is what programs call: who has the token has the mail, so no cookie is asked for. */
async function confirm({ app, accounts, limits, publicUrl }: ConfirmParts, at: RouteRequest): Promise<void> {
  for (const [name, value] of Object.entries(await limits.signIn(at.address))) setHeader(at.response, name, value);
  if (!/^application\/x-www-form-urlencoded\b/i.test(String(at.request.headers["content-type"])))
    throw new LanistaError("invalid", "the body must be application/x-www-form-urlencoded");
  const body = await readBody(at.request, MOST_BODY);
  const token = new URLSearchParams(body.toString("utf8")).get("token") ?? "";
  const url = new URL(`/api/auth/verify-email?token=${encodeURIComponent(token)}`, publicUrl());
  const said = await accounts.handle(new Request(url, { headers: { "x-lanista-address": at.address } }));
  await tellAccount(app, at, "verify-email", said);
  if (said.status >= 500)
    throw new LanistaError("internal", "the address could not be confirmed: a fault of the server's");
  if (said.ok) answer(at, 200, CONFIRMED);
  else answer(at, said.status, NO_GOOD);
}

function answer({ response }: RouteRequest, status: number, content: string): void {
  setHeader(response, "content-security-policy", POLICY);
  send(response, status, "text/html; charset=utf-8", page(content));
}

const ask = (token: string): string => `<h1>Is this address yours?</h1>
<p>Somebody, probably you, made an account with your address. Say that it is yours, and courses that wait for you let you in.</p>
<form method="post" action="confirm"><input type="hidden" name="token" value="${escaped(token)}">
<button>The address is mine</button></form>
<p>If you made no account, close this page: nothing happens.</p>`;

const CONFIRMED = `<h1>Your address is confirmed</h1>
<p>You can close this page. Courses that waited for you have let you in.</p>`;

const NO_GOOD = `<h1>This link is good no more</h1>
<p>It may be older than a day, or a part of it is missing: take it from the mail as a whole. The server sends another one
when it is asked (<code>POST /api/auth/send-verification-email</code>), and an administrator can say that the address is yours.</p>`;

const page = (content: string): string => `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Your address · Lanista</title><style>${STYLE}</style>
${content}
</html>
`;
