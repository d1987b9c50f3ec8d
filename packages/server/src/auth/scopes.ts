/** What a person passes for, now, and what his token of some scope still does. */
import { Scope } from "@lanista/api/gen/lanista/v1/access_pb";
import type { TokenScope } from "../db/types.ts";

export interface Rights {
  readonly administrator: boolean;
  /** May found spaces. */
  readonly organiser: boolean;
  /** Is staff of some space: its organiser, or a course's assistant. */
  readonly organises: boolean;
}

/** A session's scopes. */
export function scopesOfPerson(rights: Rights): ReadonlySet<TokenScope> {
  const scopes = new Set<TokenScope>(["participant"]);
  if (rights.organiser || rights.organises || rights.administrator) scopes.add("organiser");
  if (rights.administrator) scopes.add("administrator");
  return scopes;
}

const ORDER: readonly TokenScope[] = ["participant", "organiser", "administrator"];

/** Those of a person's scopes that a token of this scope passes on. */
export function cutDown(scopes: ReadonlySet<TokenScope>, to: TokenScope): ReadonlySet<TokenScope> {
  return new Set(ORDER.slice(0, ORDER.indexOf(to) + 1).filter((scope) => scopes.has(scope)));
}

export const SCOPE_NAMES = {
  [Scope.PARTICIPANT]: "participant",
  [Scope.ORGANISER]: "organiser",
  [Scope.ADMINISTRATOR]: "administrator",
  [Scope.WORKER]: "worker",
  [Scope.EXECUTOR]: "executor",
} as const satisfies Partial<Record<Scope, TokenScope>>;

export const SCOPE_NUMBERS: Readonly<Record<TokenScope, Scope>> = {
  participant: Scope.PARTICIPANT,
  organiser: Scope.ORGANISER,
  administrator: Scope.ADMINISTRATOR,
  worker: Scope.WORKER,
  executor: Scope.EXECUTOR,
};

export function scopeName(scope: Scope): TokenScope | undefined {
  return scope === Scope.UNSPECIFIED ? undefined : SCOPE_NAMES[scope];
}
