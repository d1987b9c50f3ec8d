/** Whose confirmed address lets him into a course. */
import { LanistaError } from "@lanista/api/errors";
import { claimInvitations } from "../accounts/claim-invitations.ts";
import { joinSpace } from "../accounts/invitations.ts";
import type { App } from "../app.ts";
import { notFound, requireUser, roleIn, type SpaceRow } from "../auth/access.ts";
import type { Caller } from "../auth/caller.ts";
import type { Tx } from "../db/database.ts";

/** A `*` before the `@` is any text; behind it, where it stands for itself between dots, one part of the name. */
export function isLike(email: string, pattern: string): boolean {
  const [local, domain, ...more] = email.toLowerCase().split("@");
  const [wantedLocal, wantedDomain] = pattern.toLowerCase().split("@");
  if (local === undefined || domain === undefined || more.length > 0) return false;
  const parts = domain.split(".");
  const wanted = wantedDomain?.split(".") ?? [];
  return (
    parts.length === wanted.length &&
    parts.every((part, at) => wanted[at] === "*" || wanted[at] === part) &&
    fits(local, wantedLocal?.split("*") ?? [])
  );
}

/** Whether `text` is these pieces with anything between them. No regular expression: of many stars it would never come back. */
function fits(text: string, pieces: readonly string[]): boolean {
  const first = pieces[0] ?? "";
  const last = pieces.at(-1) ?? "";
  if (pieces.length < 2) return text === first;
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  const end = text.length - last.length;
  let at = first.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, at);
    if (found < 0 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}

/** Throws LanistaError `not_found` where nothing lets him in, `conflict` where his address would if it were confirmed. */
export async function joinCourse(app: App, tx: Tx, space: SpaceRow, caller: Caller): Promise<void> {
  const userId = requireUser(caller).id;
  await claimInvitations(app, tx, userId, space.id);
  if ((await roleIn(tx, caller, space.id)) !== null) return;
  const user = await tx.selectFrom("user").selectAll().where("id", "=", userId).executeTakeFirstOrThrow();
  if (!space.join_patterns.some((pattern) => isLike(user.email, pattern))) throw notFound("the space");
  if (!user.emailVerified)
    throw new LanistaError("conflict", "your address is not confirmed, so it lets you in nowhere", {
      hint: "Open the link in the mail you got (POST /api/auth/send-verification-email sends it again), or ask an administrator.",
    });
  await joinSpace(app, tx, { spaceId: space.id, userId, role: "participant" });
}
