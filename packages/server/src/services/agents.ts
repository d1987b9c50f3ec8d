/** AgentService: agents, their versions and bundles. */
import type { ServiceImpl } from "@connectrpc/connect";
import { LanistaError } from "@lanista/api/errors";
import {
  type AgentService,
  CreateAgentRequestSchema,
  CreateAgentResponseSchema,
  CreateUploadRequestSchema,
  CreateUploadResponseSchema,
  UpdateAgentRequestSchema,
  UpdateAgentResponseSchema,
} from "@lanista/api/gen/lanista/v1/agents_pb";
import { createUpload, takePart, type UploadRow, uploadMessage } from "../agents/uploads.ts";
import { type AgentRow, agentMessages, createAgent, versionMessage } from "../agents/versions.ts";
import type { App } from "../app.ts";
import { notFound, requireOwn, requireRole, requireSpace, requireUser } from "../auth/access.ts";
import { type Caller, callerOf } from "../auth/caller.ts";
import type { Db, Tx } from "../db/database.ts";
import { mutate } from "../mutate.ts";
import { pageOf, pageWanted } from "../rpc/paging.ts";

export function agentService(app: App): ServiceImpl<typeof AgentService> {
  const { db } = app;

  const ownAgent = async (at: Db | Tx, caller: Caller, id: string): Promise<AgentRow> => {
    const row = await at.selectFrom("agents").selectAll().where("id", "=", id).executeTakeFirst();
    if (row === undefined) throw notFound("the agent");
    await requireOwn(at, caller, { spaceId: row.space_id, ownerId: row.owner_id }, "the agent");
    return row;
  };
  const ownUpload = async (caller: Caller, id: string): Promise<UploadRow> => {
    const row = await db.selectFrom("uploads").selectAll().where("id", "=", id).executeTakeFirst();
    if (row === undefined || row.user_id !== caller.user?.id) throw notFound("the upload");
    await requireRole(db, caller, row.space_id, "participant", "the upload");
    return row;
  };

  return {
    createAgent: (request, context) =>
      mutate(
        app,
        context,
        { input: CreateAgentRequestSchema, output: CreateAgentResponseSchema },
        request,
        async (tx, note) => {
          const caller = callerOf(context);
          const { space } = await requireSpace(tx, caller, request.space, "participant");
          const row = await createAgent(tx, space.id, requireUser(caller).id, request.name);
          note.subject = row.id;
          note.spaceId = space.id;
          const [agent] = await agentMessages(tx, [row]);
          return { agent: agent! };
        },
      ),

    async getAgent(request, context) {
      const [agent] = await agentMessages(db, [await ownAgent(db, callerOf(context), request.agentId)]);
      return { agent: agent! };
    },

    async listAgents(request, context) {
      const caller = callerOf(context);
      const { space } = await requireSpace(db, caller, request.space, request.all ? "organiser" : "participant");
      const wanted = pageWanted(request.page, 1);
      let query = db.selectFrom("agents").selectAll().where("space_id", "=", space.id);
      if (!request.all) query = query.where("owner_id", "=", requireUser(caller).id);
      if (wanted.after !== null) query = query.where("name", ">", String(wanted.after[0]));
      const found = await query
        .orderBy("name")
        .limit(wanted.size + 1)
        .execute();
      const { rows, nextPageToken } = pageOf(found, wanted, (row) => [row.name]);
      return { agents: await agentMessages(db, rows), nextPageToken };
    },

    updateAgent: (request, context) =>
      mutate(
        app,
        context,
        { input: UpdateAgentRequestSchema, output: UpdateAgentResponseSchema },
        request,
        async (tx, note) => {
          const row = await ownAgent(tx, callerOf(context), request.agentId);
          note.subject = row.id;
          note.spaceId = row.space_id;
          const taken = await tx
            .selectFrom("agents")
            .select("id")
            .where("space_id", "=", row.space_id)
            .where("name", "=", request.name)
            .where("id", "<>", row.id)
            .executeTakeFirst();
          if (taken !== undefined)
            throw new LanistaError("exists", `the space has an agent named "${request.name}" already`, {
              field: "name",
            });
          const renamed = await tx
            .updateTable("agents")
            .set({ name: request.name })
            .where("id", "=", row.id)
            .returningAll()
            .executeTakeFirstOrThrow();
          const [agent] = await agentMessages(tx, [renamed]);
          return { agent: agent! };
        },
      ),

    async listVersions(request, context) {
      const agent = await ownAgent(db, callerOf(context), request.agentId);
      const wanted = pageWanted(request.page, 1);
      let query = db.selectFrom("agent_versions").selectAll().where("agent_id", "=", agent.id);
      if (wanted.after !== null) query = query.where("number", "<", Number(wanted.after[0]));
      const found = await query
        .orderBy("number", "desc")
        .limit(wanted.size + 1)
        .execute();
      const { rows, nextPageToken } = pageOf(found, wanted, (row) => [row.number]);
      return { versions: rows.map(versionMessage), nextPageToken };
    },

    async *downloadVersion(request, context) {
      const version = await db
        .selectFrom("agent_versions")
        .select(["agent_id", "digest"])
        .where("id", "=", request.versionId)
        .executeTakeFirst();
      if (version === undefined) throw notFound("the version");
      await ownAgent(db, callerOf(context), version.agent_id);
      for await (const data of await app.store.open(version.digest)) yield { data };
    },

    createUpload: (request, context) =>
      mutate(
        app,
        context,
        { input: CreateUploadRequestSchema, output: CreateUploadResponseSchema },
        request,
        async (tx, note) => {
          const caller = callerOf(context);
          const { space } = await requireSpace(tx, caller, request.space, "participant");
          const row = await createUpload(app, tx, space, requireUser(caller).id, {
            digest: request.digest,
            size: Number(request.sizeBytes),
          });
          note.subject = row.id;
          note.spaceId = space.id;
          return { upload: uploadMessage(row) };
        },
      ),

    async getUpload(request, context) {
      return { upload: uploadMessage(await ownUpload(callerOf(context), request.uploadId)) };
    },

    async uploadPart(request, context) {
      await ownUpload(callerOf(context), request.uploadId);
      return { upload: uploadMessage(await takePart(app, request.uploadId, Number(request.offset), request.data)) };
    },
  };
}
