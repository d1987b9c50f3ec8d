/** The typed client for a command: where the server is and who calls come from options, environment or the login. */
import { randomUUID } from "node:crypto";
import type { Interceptor } from "@connectrpc/connect";
import { connect, type LanistaClient } from "@lanista/api/client";
import type { Context } from "../context.ts";
import { UsageError } from "../usage-error.ts";
import { DEFAULT_SERVER, readKept } from "./credentials.ts";
import type { RemoteOptions } from "./options.ts";
import { readTokenFile } from "./token-file.ts";

/** A key with every call, so that a call sent again after a cut is made once. */
const keyed: Interceptor = (next) => (request) => {
  if (!request.header.has("idempotency-key")) request.header.set("idempotency-key", randomUUID());
  return next(request);
};

export async function serverUrl(context: Context, options: RemoteOptions): Promise<string> {
  const { environment } = context.terminal;
  const url =
    options.server ?? environment.LANISTA_SERVER ?? (await readKept(context.terminal))?.server ?? DEFAULT_SERVER;
  if (!URL.canParse(url) || !/^https?:/.test(url))
    throw new UsageError(`"${url}" is no server's address: give one such as https://lanista.example.org`);
  return url.replace(/\/+$/, "");
}

/** `anonymous`: the call needs nobody. Throws UsageError where there is no token. */
export async function remote(
  context: Context,
  options: RemoteOptions,
  anonymous: "anonymous" | "known" = "known",
): Promise<LanistaClient> {
  const { url, token } = await placeAndToken(context, options, anonymous);
  return connect({ url, ...(token === undefined ? {} : { token }), interceptors: [keyed] });
}

/** For what is served at plain addresses. Throws as `remote` does. */
export async function placeAndToken(
  context: Context,
  options: RemoteOptions,
  anonymous: "anonymous" | "known" = "known",
): Promise<{ readonly url: string; readonly token: string | undefined }> {
  const { environment } = context.terminal;
  const url = await serverUrl(context, options);
  const login = await readKept(context.terminal);
  const token =
    options.token ??
    environment.LANISTA_TOKEN ??
    (environment.LANISTA_TOKEN_FILE ? await readTokenFile(environment.LANISTA_TOKEN_FILE) : undefined) ??
    (login?.server === url ? login.token : undefined);
  if (token === undefined && anonymous === "known")
    throw new UsageError(`nobody is logged in at ${url}: run lanista login, or give --token or LANISTA_TOKEN`);
  return { url, token };
}

/** Every page of a list, one after the other. */
export async function* pages<Answer extends { readonly nextPageToken: string }>(
  ask: (page: { size: number; token: string }) => Promise<Answer>,
): AsyncGenerator<Answer> {
  let token = "";
  do {
    const answer = await ask({ size: 200, token });
    yield answer;
    token = answer.nextPageToken;
  } while (token !== "");
}

/** The first so many of a list, over as many pages as it takes; `nextPageToken` is empty where these are all. */
export async function firstOf<Answer extends { readonly nextPageToken: string }, Item>(
  limit: number,
  ask: (page: { size: number; token: string }) => Promise<Answer>,
  itemsOf: (answer: Answer) => readonly Item[],
): Promise<{ items: Item[]; nextPageToken: string }> {
  const items: Item[] = [];
  let token = "";
  do {
    const answer = await ask({ size: Math.min(limit - items.length, 200), token });
    items.push(...itemsOf(answer));
    token = answer.nextPageToken;
  } while (token !== "" && items.length < limit);
  return { items, nextPageToken: token };
}
