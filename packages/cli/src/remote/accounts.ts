/** The server's routes of accounts, which take passwords and are no RPC. */
import { z } from "zod";
import { UsageError } from "../usage-error.ts";

const refusal = z.object({ message: z.string(), hint: z.string().default("") });

/** What the server answers, null where it is no JSON. Throws UsageError, `what` was refused, with what the server said. */
export async function askAccounts(
  server: string,
  path: string,
  body: object,
  { what, session }: { readonly what: string; readonly session?: string },
): Promise<unknown> {
  const answer = await fetch(`${server}/api/auth/${path}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(session === undefined ? {} : { authorization: `Bearer ${session}` }),
    },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  }).catch((error: unknown) => {
    throw new UsageError(`${server} does not answer: is it the right address, and is the server up?`, { cause: error });
  });
  // No JSON: not ours, and the status says enough.
  const json: unknown = await answer.json().catch(() => null);
  if (answer.ok) return json;
  const said = refusal.safeParse(json).data ?? { message: `it answered with status ${answer.status}`, hint: "" };
  throw new UsageError(`${server} refused ${what}: ${said.message}${said.hint === "" ? "" : `. ${said.hint}`}`);
}
