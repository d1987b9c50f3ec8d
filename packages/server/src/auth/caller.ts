/** Who makes a call, as the interceptor found out; handlers ask `callerOf(context)`. */
import { createContextKey, type HandlerContext } from "@connectrpc/connect";
import type { TokenScope } from "../db/types.ts";

export interface CallerUser {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly administrator: boolean;
  readonly organiser: boolean;
}

export interface Caller {
  /** As the audit log writes it: `anonymous`, `user:ID` or `token:ID`. */
  readonly name: string;
  /** null for machines and for nobody. */
  readonly user: CallerUser | null;
  /** What the session or token passes for now: a person's rights cut down to his token's scope. */
  readonly scopes: ReadonlySet<TokenScope>;
  /** null for a session. */
  readonly tokenId: string | null;
  /** Where the token is good for one space only. */
  readonly spaceId: string | null;
  /** The queues a worker's token names; empty: all that are not a space's own. */
  readonly queues: readonly string[];
}

export const ANONYMOUS: Caller = {
  name: "anonymous",
  user: null,
  scopes: new Set(),
  tokenId: null,
  spaceId: null,
  queues: [],
};

export const callerKey = createContextKey<Caller>(ANONYMOUS);
export const requestIdKey = createContextKey<string>("");

export function callerOf(context: HandlerContext): Caller {
  return context.values.get(callerKey);
}
