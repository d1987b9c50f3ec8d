/** What is written of calls that are about accounts: a line in the log, and what changes one also into the audit log. */
import { v7 as uuid } from "uuid";
import { z } from "zod";
import type { App } from "../app.ts";
import type { RouteRequest } from "./route.ts";

/** Who changed what of his account; signing in and out is in the log alone. */
const AUDITED = new Set(["sign-up/email", "reset-password", "change-password", "update-user", "verify-email"]);
/** Pages ask for these again and again. */
const READ = new Set(["get-session", "list-sessions"]);

/** `path`: below /api/auth/. */
export async function tellAccount(
  app: App,
  { requestId, address }: Pick<RouteRequest, "requestId" | "address">,
  path: string,
  answer: Response,
): Promise<void> {
  const userId =
    answer.ok && !READ.has(path)
      ? userOf(
          await answer
            .clone()
            .json()
            .catch(() => null),
        )
      : undefined;
  const line = { requestId, action: `api/auth/${path}`, status: answer.status, address };
  app.log[READ.has(path) ? "debug" : "info"]({ ...line, ...(userId === undefined ? {} : { userId }) }, "account");
  if (answer.ok && AUDITED.has(path)) await audit(app, path, userId);
}

async function audit(app: App, path: string, userId: string | undefined): Promise<void> {
  await app.db
    .insertInto("audit")
    .values({
      id: uuid(),
      actor: userId === undefined ? "anonymous" : `user:${userId}`,
      action: `api/auth/${path}`,
      subject: userId ?? "",
      space_id: null,
      detail: "{}",
    })
    .execute();
}

/** Of better-auth's answers. */
export function userOf(answer: unknown): string | undefined {
  return z.object({ user: z.object({ id: z.string() }) }).safeParse(answer).data?.user.id;
}
