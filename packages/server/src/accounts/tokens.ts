/** Tokens: who may make which, and their rows. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { LanistaError } from "@lanista/api/errors";
import { Scope } from "@lanista/api/gen/lanista/v1/access_pb";
import type { CreateTokenRequest, TokenSchema } from "@lanista/api/gen/lanista/v1/tokens_pb";
import { type Selectable, sql } from "kysely";
import { v7 as uuid } from "uuid";
import { atLeast, isAdministrator, notFound, requireSpace, requireUser } from "../auth/access.ts";
import type { Caller } from "../auth/caller.ts";
import { SCOPE_NUMBERS, scopeName } from "../auth/scopes.ts";
import { newSecret } from "../auth/secrets.ts";
import type { Db, Tx } from "../db/database.ts";
import type { TokenScope, TokensTable } from "../db/types.ts";
import type { PageWanted } from "../rpc/paging.ts";

export type TokenRow = Selectable<TokensTable>;

const DEFAULT_SECONDS = 90 * 86_400;

export interface NewToken {
  readonly name: string;
  readonly scope: TokenScope;
  /** null for a machine's. */
  readonly userId: string | null;
  readonly createdBy: string | null;
  readonly spaceId: string | null;
  readonly queues: readonly string[];
  readonly seconds: number;
}

export async function makeToken(db: Db | Tx, token: NewToken): Promise<{ row: TokenRow; secret: string }> {
  const { secret, prefix, hash } = newSecret();
  const row = await db
    .insertInto("tokens")
    .values({
      id: uuid(),
      name: token.name,
      prefix,
      secret_hash: hash,
      scope: token.scope,
      user_id: token.userId,
      created_by: token.createdBy,
      space_id: token.spaceId,
      queues: [...token.queues],
      expires_at: sql<Date>`now() + make_interval(secs => ${token.seconds})`,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return { row, secret };
}

/** What a caller asks for, if he may have it. Throws LanistaError. */
export async function tokenFor(tx: Tx, caller: Caller, request: CreateTokenRequest): Promise<NewToken> {
  const user = requireUser(caller);
  const scope = scopeName(request.scope);
  if (scope === undefined) throw new LanistaError("invalid", "a token has a scope", { field: "scope" });
  const machine = scope === "worker" || scope === "executor";
  if (request.queues.length > 0 && scope !== "worker")
    throw new LanistaError("invalid", "only a worker's token names queues", { field: "queues" });
  // A token for one space gives tokens for that space.
  const wantedSpace = request.space !== "" ? request.space : (caller.spaceId ?? "");
  const space =
    wantedSpace === "" ? null : await requireSpace(tx, caller, wantedSpace, machine ? "organiser" : "participant");
  if (scope === "administrator" && space !== null)
    throw new LanistaError("invalid", "an administrator's token is for the whole server", { field: "space" });
  if (!machine && !caller.scopes.has(scope))
    throw new LanistaError("forbidden", `you have no rights of scope ${scope} to give away`, { field: "scope" });
  if (scope === "organiser" && space !== null && !atLeast(space.role, "organiser"))
    throw new LanistaError("forbidden", "you do not organise this space", { field: "space" });
  if (machine && !isAdministrator(caller)) await spacesWorker(tx, scope, space?.space.id ?? null, request.queues);
  return {
    name: request.name,
    scope,
    userId: machine ? null : user.id,
    createdBy: user.id,
    spaceId: space?.space.id ?? null,
    queues: request.queues,
    seconds: request.validSeconds === 0n ? DEFAULT_SECONDS : Number(request.validSeconds),
  };
}

/** What an organiser may make for machines: workers of his space's own queues, these by name. */
async function spacesWorker(
  tx: Tx,
  scope: TokenScope,
  spaceId: string | null,
  queues: readonly string[],
): Promise<void> {
  if (scope !== "worker" || spaceId === null)
    throw new LanistaError("forbidden", "only an administrator makes such tokens", { field: "scope" });
  const own = await tx.selectFrom("queues").select("name").where("space_id", "=", spaceId).execute();
  if (queues.length === 0 || !queues.every((name) => own.some((each) => each.name === name)))
    throw new LanistaError("forbidden", "an organiser's workers take jobs of queues of his own space only", {
      field: "queues",
      hint: "Name the space's own queues.",
    });
}

/** The caller's own, newest first; everybody's for an administrator who asks. One row more than the page has. */
export async function ownTokens(
  db: Db,
  caller: Caller,
  all: boolean,
  { size, after }: PageWanted,
): Promise<TokenRow[]> {
  if (all && !isAdministrator(caller))
    throw new LanistaError("forbidden", "only an administrator sees everybody's tokens", { field: "all" });
  let query = db.selectFrom("tokens").selectAll();
  if (!all) query = query.where((eb) => eb.or([eb("user_id", "=", requireUser(caller).id), madeForMachines(caller)]));
  if (caller.spaceId !== null) query = query.where("space_id", "=", caller.spaceId);
  if (after !== null) query = query.where(sql<boolean>`id < ${String(after[0])}::uuid`);
  return await query
    .orderBy("id", "desc")
    .limit(size + 1)
    .execute();
}

const madeForMachines = (caller: Caller) => sql<boolean>`(user_id IS NULL AND created_by = ${requireUser(caller).id})`;

/** Throws LanistaError `not_found` where it is not the caller's to revoke. Twice is once. */
export async function revokeToken(tx: Tx, caller: Caller, id: string): Promise<TokenRow> {
  const row = await tx.selectFrom("tokens").selectAll().where("id", "=", id).forUpdate().executeTakeFirst();
  const user = requireUser(caller);
  const own = row?.user_id === user.id || (row?.user_id === null && row.created_by === user.id);
  const within = caller.spaceId === null || row?.space_id === caller.spaceId;
  if (row === undefined || !within || !(own || isAdministrator(caller))) throw notFound("the token");
  if (row.revoked_at !== null) return row;
  return await tx
    .updateTable("tokens")
    .set({ revoked_at: sql<Date>`now()` })
    .where("id", "=", id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

export function tokenMessage(row: TokenRow): MessageInitShape<typeof TokenSchema> {
  return {
    id: row.id,
    name: row.name,
    prefix: row.prefix,
    scope: SCOPE_NUMBERS[row.scope] ?? Scope.UNSPECIFIED,
    spaceId: row.space_id ?? "",
    queues: row.queues,
    createdAt: timestampFromDate(row.created_at),
    expiresAt: timestampFromDate(row.expires_at),
    ...(row.last_used_at === null ? {} : { lastUsedAt: timestampFromDate(row.last_used_at) }),
    ...(row.revoked_at === null ? {} : { revokedAt: timestampFromDate(row.revoked_at) }),
    userId: row.user_id ?? "",
  };
}
