/** Agents and their versions, as rows and as messages. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { LanistaError } from "@lanista/api/errors";
import { type AgentSchema, type AgentVersionSchema, Validation_State } from "@lanista/api/gen/lanista/v1/agents_pb";
import type { Selectable } from "kysely";
import { v7 as uuid } from "uuid";
import type { Db, Tx } from "../db/database.ts";
import type { AgentsTable, AgentVersionsTable } from "../db/types.ts";

export type AgentRow = Selectable<AgentsTable>;
export type VersionRow = Selectable<AgentVersionsTable>;

const STATES = {
  waiting: Validation_State.WAITING,
  valid: Validation_State.VALID,
  invalid: Validation_State.INVALID,
} as const;

export function versionMessage(row: VersionRow): MessageInitShape<typeof AgentVersionSchema> {
  return {
    id: row.id,
    agentId: row.agent_id,
    number: row.number,
    digest: row.digest,
    sizeBytes: BigInt(row.size_bytes),
    createdAt: timestampFromDate(row.created_at),
    validation: { state: STATES[row.validation], errors: row.errors, warnings: row.warnings },
  };
}

/** With their owners' names and newest versions, in the order of the rows. */
export async function agentMessages(
  db: Db | Tx,
  rows: readonly AgentRow[],
): Promise<MessageInitShape<typeof AgentSchema>[]> {
  if (rows.length === 0) return [];
  const owners = await db
    .selectFrom("user")
    .select(["id", "name"])
    .where("id", "in", [...new Set(rows.map((row) => row.owner_id))])
    .execute();
  const newest = await db
    .selectFrom("agent_versions")
    .distinctOn("agent_id")
    .selectAll()
    .where(
      "agent_id",
      "in",
      rows.map((row) => row.id),
    )
    .orderBy("agent_id")
    .orderBy("number", "desc")
    .execute();
  return rows.map((row) => {
    const version = newest.find((each) => each.agent_id === row.id);
    return {
      id: row.id,
      spaceId: row.space_id,
      name: row.name,
      ownerId: row.owner_id,
      ownerName: owners.find((each) => each.id === row.owner_id)?.name ?? "",
      createdAt: timestampFromDate(row.created_at),
      ...(version === undefined ? {} : { newest: versionMessage(version) }),
    };
  });
}

/** Throws LanistaError `exists` where the space has an agent of that name. */
export async function createAgent(tx: Tx, spaceId: string, ownerId: string, name: string): Promise<AgentRow> {
  const row = await tx
    .insertInto("agents")
    .values({ id: uuid(), space_id: spaceId, owner_id: ownerId, name })
    .onConflict((conflict) => conflict.doNothing())
    .returningAll()
    .executeTakeFirst();
  if (row === undefined)
    throw new LanistaError("exists", `the space has an agent named "${name}" already`, { field: "name" });
  return row;
}

/** The next number is drawn under the agent's row's lock. */
export async function addVersion(tx: Tx, agentId: string, digest: string, size: number): Promise<VersionRow> {
  await tx.selectFrom("agents").select("id").where("id", "=", agentId).forUpdate().execute();
  const { last } = await tx
    .selectFrom("agent_versions")
    .select((eb) => eb.fn.max("number").as("last"))
    .where("agent_id", "=", agentId)
    .executeTakeFirstOrThrow();
  return await tx
    .insertInto("agent_versions")
    .values({ id: uuid(), agent_id: agentId, number: (last ?? 0) + 1, digest, size_bytes: size })
    .returningAll()
    .executeTakeFirstOrThrow();
}
