/**
 * How everything is changed: one transaction holds the change, its line in the audit log and, where the request brought
 * an `Idempotency-Key`, the answer under that key. So a request that is sent again, after a cut or a crash at any moment,
 * changes nothing twice and gets the same answer.
 */
import { createHash } from "node:crypto";
import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { create, fromBinary, toBinary, toJson } from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import { LanistaError } from "@lanista/api/errors";
import { v7 as uuid } from "uuid";
import type { App } from "./app.ts";
import { callerOf } from "./auth/caller.ts";
import { redact } from "./auth/redact.ts";
import type { Tx } from "./db/database.ts";
import { inTransaction } from "./jobs/transaction.ts";
import { keyHash, seal, unseal } from "./sealed-answer.ts";

/** What the audit log shall say beside caller and call. */
export interface AuditNote {
  subject?: string;
  spaceId?: string | null;
}

const KEY = /^[\x21-\x7e]{1,128}$/;

/**
 * Runs `body` in a transaction, again where the database undid it for another's sake, and gives its answer. `input` and `output` are the method's schemas. Answers are kept as long
 * as keys are (a day), encrypted with the key.
 * Throws LanistaError `aborted` where the key was used for another request.
 */
export async function mutate<I extends DescMessage, O extends DescMessage>(
  app: App,
  context: HandlerContext,
  schemas: { readonly input: I; readonly output: O },
  request: MessageShape<I>,
  body: (tx: Tx, note: AuditNote) => Promise<MessageInitShape<O>>,
): Promise<MessageShape<O>> {
  const caller = callerOf(context);
  const action = `${context.service.typeName}/${context.method.name}`;
  const key = context.requestHeader.get("idempotency-key");
  if (key !== null && !KEY.test(key))
    throw new LanistaError("invalid", "an Idempotency-Key is 1 to 128 printable characters", {
      field: "Idempotency-Key",
    });
  const hash = createHash("sha256").update(action).update("\0").update(toBinary(schemas.input, request)).digest();
  const stored = key === null ? "" : keyHash(caller.name, key);
  return await inTransaction(app, async (tx) => {
    if (key !== null) {
      // The second of two at once waits here for the first one's end.
      const inserted = await tx
        .insertInto("idempotency")
        .values({ caller: caller.name, key: stored, method: action, request_hash: hash, response: Buffer.alloc(0) })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      if (inserted.numInsertedOrUpdatedRows === 0n) {
        const known = await tx
          .selectFrom("idempotency")
          .select(["request_hash", "response"])
          .where("caller", "=", caller.name)
          .where("key", "=", stored)
          .executeTakeFirstOrThrow();
        if (!known.request_hash.equals(hash))
          throw new LanistaError("aborted", "this Idempotency-Key was used for another request", {
            hint: "Draw a new key for a new request.",
          });
        return fromBinary(schemas.output, unseal(caller.name, key, known.response));
      }
    }
    const note: AuditNote = {};
    const answer = create(schemas.output, await body(tx, note));
    if (key !== null)
      await tx
        .updateTable("idempotency")
        .set({ response: seal(caller.name, key, toBinary(schemas.output, answer)) })
        .where("caller", "=", caller.name)
        .where("key", "=", stored)
        .execute();
    await tx
      .insertInto("audit")
      .values({
        id: uuid(),
        actor: caller.name,
        action,
        subject: note.subject ?? "",
        space_id: note.spaceId ?? null,
        detail: JSON.stringify(redact(schemas.input, toJson(schemas.input, request))),
      })
      .execute();
    return answer;
  });
}
