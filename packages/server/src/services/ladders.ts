/** LadderService: ladders, their boards, and what organisers do to them. */
import type { ServiceImpl } from "@connectrpc/connect";
import { LanistaError } from "@lanista/api/errors";
import {
  CreateLadderRequestSchema,
  CreateLadderResponseSchema,
  FreezeLadderRequestSchema,
  FreezeLadderResponseSchema,
  type LadderService,
  StartFinalsRequestSchema,
  StartFinalsResponseSchema,
  UpdateLadderRequestSchema,
  UpdateLadderResponseSchema,
  WithdrawRequestSchema,
  WithdrawResponseSchema,
} from "@lanista/api/gen/lanista/v1/ladders_pb";
import { sql } from "kysely";
import { v7 as uuid } from "uuid";
import type { App } from "../app.ts";
import { atLeast, notFound, requireOwn, requireRole, requireSpace } from "../auth/access.ts";
import { callerOf } from "../auth/caller.ts";
import type { Tx } from "../db/database.ts";
import { ladderEnvironment } from "../environments/ladder-environment.ts";
import { BOARD_KEYS, boardPage, ownRows, pageKey, rowMessage } from "../ladder/board.ts";
import { changeRules, changeTitle, freeze, startFinals } from "../ladder/change-ladder.ts";
import { headToHead } from "../ladder/head-to-head.ts";
import { findLadder, ladderMessage, lockLadder, requireLadder } from "../ladder/rows.ts";
import { ladderRules, rulesFrom, type StoredRules } from "../ladder/rules.ts";
import { verifyLadder } from "../ladder/verify.ts";
import { mutate } from "../mutate.ts";
import { pageOf, pageWanted } from "../rpc/paging.ts";

async function checkQueue(tx: Tx, rules: StoredRules, spaceId: string): Promise<void> {
  const queue = await tx.selectFrom("queues").select("space_id").where("name", "=", rules.queue).executeTakeFirst();
  if (queue === undefined || (queue.space_id !== null && queue.space_id !== spaceId))
    throw new LanistaError("invalid", `there is no queue "${rules.queue}" for this space`, { field: "rules.queue" });
}

export function ladderService(app: App): ServiceImpl<typeof LadderService> {
  const { db } = app;
  return {
    createLadder: (request, context) =>
      mutate(
        app,
        context,
        { input: CreateLadderRequestSchema, output: CreateLadderResponseSchema },
        request,
        async (tx, note) => {
          const { space } = await requireSpace(tx, callerOf(context), request.space, "organiser");
          const rules = rulesFrom(request.rules!, await ladderEnvironment(tx, space.id, request.rules!));
          await checkQueue(tx, rules, space.id);
          const row = await tx
            .insertInto("ladders")
            .values({
              id: uuid(),
              space_id: space.id,
              slug: request.slug,
              title: request.title,
              public: request.public,
              rules: JSON.stringify(rules),
            })
            .onConflict((conflict) => conflict.columns(["space_id", "slug"]).doNothing())
            .returningAll()
            .executeTakeFirst();
          if (row === undefined)
            throw new LanistaError("exists", `the space has a ladder "${request.slug}" already`, { field: "slug" });
          note.subject = row.id;
          note.spaceId = space.id;
          return { ladder: ladderMessage(row) };
        },
      ),

    async getLadder(request, context) {
      const { ladder } = await requireLadder(db, callerOf(context), request.ladder, "participant");
      return { ladder: ladderMessage(ladder) };
    },

    async listLadders(request, context) {
      const { space } = await requireSpace(db, callerOf(context), request.space, "participant");
      const wanted = pageWanted(request.page, 1);
      let query = db.selectFrom("ladders").selectAll().where("space_id", "=", space.id);
      if (wanted.after !== null) query = query.where("slug", ">", String(wanted.after[0]));
      const found = await query
        .orderBy("slug")
        .limit(wanted.size + 1)
        .execute();
      const { rows, nextPageToken } = pageOf(found, wanted, (row) => [row.slug]);
      return { ladders: rows.map(ladderMessage), nextPageToken };
    },

    updateLadder: (request, context) =>
      mutate(
        app,
        context,
        { input: UpdateLadderRequestSchema, output: UpdateLadderResponseSchema },
        request,
        async (tx, note) => {
          let ladder = await lockLadder(tx, callerOf(context), request.ladderId, "organiser");
          note.subject = ladder.id;
          note.spaceId = ladder.space_id;
          if (request.rules !== undefined) {
            const rules = rulesFrom(request.rules, await ladderEnvironment(tx, ladder.space_id, request.rules));
            await checkQueue(tx, rules, ladder.space_id);
            ladder = await changeRules(app, tx, ladder, rules);
          }
          const { title, public: isPublic } = request;
          if (title !== undefined || isPublic !== undefined)
            ladder = await changeTitle(app, tx, ladder, {
              ...(title === undefined ? {} : { title }),
              ...(isPublic === undefined ? {} : { public: isPublic }),
            });
          return { ladder: ladderMessage(ladder) };
        },
      ),

    freezeLadder: (request, context) =>
      mutate(
        app,
        context,
        { input: FreezeLadderRequestSchema, output: FreezeLadderResponseSchema },
        request,
        async (tx, note) => {
          const ladder = await lockLadder(tx, callerOf(context), request.ladderId, "organiser");
          note.subject = ladder.id;
          note.spaceId = ladder.space_id;
          return { ladder: ladderMessage(await freeze(app, tx, ladder, request.frozen)) };
        },
      ),

    startFinals: (request, context) =>
      mutate(
        app,
        context,
        { input: StartFinalsRequestSchema, output: StartFinalsResponseSchema },
        request,
        async (tx, note) => {
          const row = await lockLadder(tx, callerOf(context), request.ladderId, "organiser");
          note.subject = row.id;
          note.spaceId = row.space_id;
          const { ladder, matches } = await startFinals(app, tx, row, request.rounds, request.top);
          return { ladder: ladderMessage(ladder), matches };
        },
      ),

    async getLeaderboard(request, context) {
      const caller = callerOf(context);
      const ladder = await findLadder(db, request.ladder);
      const wanted = pageWanted(request.page, BOARD_KEYS);
      const query = {
        ladderId: ladder.id,
        finished: ladder.state === "finished",
        placementMatches: ladderRules(ladder).placementMatches,
      };
      if (
        !ladder.public &&
        !atLeast(await requireRole(db, caller, ladder.space_id, "participant", "the ladder"), "organiser")
      ) {
        const own = await ownRows(db, query, caller.user?.id ?? "");
        return { rows: own.map(rowMessage), nextPageToken: "", ladder: ladderMessage(ladder) };
      }
      const { rows, nextPageToken } = pageOf(await boardPage(db, query, wanted), wanted, pageKey);
      return { rows: rows.map(rowMessage), nextPageToken, ladder: ladderMessage(ladder) };
    },

    async getHeadToHead(request, context) {
      const caller = callerOf(context);
      const { ladder, role } = await requireLadder(db, caller, request.ladderId, "participant");
      // Of a private board a participant sees what concerns his own agents.
      const only = ladder.public || atLeast(role, "organiser") ? null : (caller.user?.id ?? "");
      return { pairs: await headToHead(db, ladder.id, request.agentIds, only) };
    },

    async verifyLadder(request, context) {
      const { ladder } = await requireLadder(db, callerOf(context), request.ladderId, "organiser");
      const { equal, matches, agents, differences } = await verifyLadder(db, ladder.id);
      return { equal, matches: BigInt(matches), agents, differences: [...differences] };
    },

    withdraw: (request, context) =>
      mutate(
        app,
        context,
        { input: WithdrawRequestSchema, output: WithdrawResponseSchema },
        request,
        async (tx, note) => {
          const caller = callerOf(context);
          const ladder = await lockLadder(tx, caller, request.ladderId, "participant");
          const agent = await tx
            .selectFrom("ladder_agents as l")
            .innerJoin("agents as a", "a.id", "l.agent_id")
            .select(["a.id", "a.owner_id"])
            .where("l.ladder_id", "=", ladder.id)
            .where("l.agent_id", "=", request.agentId)
            .where("l.active", "=", true)
            .executeTakeFirst();
          if (agent === undefined) throw notFound("the agent on this ladder");
          await requireOwn(
            tx,
            caller,
            { spaceId: ladder.space_id, ownerId: agent.owner_id },
            "the agent on this ladder",
          );
          if (ladder.state === "finals") throw new LanistaError("conflict", "nobody leaves during the finals");
          note.subject = agent.id;
          note.spaceId = ladder.space_id;
          await tx
            .updateTable("ladder_agents")
            .set({ active: false })
            .where("ladder_id", "=", ladder.id)
            .where("agent_id", "=", agent.id)
            .execute();
          await tx
            .updateTable("ladders")
            .set({ agents: sql<number>`agents - 1` })
            .where("id", "=", ladder.id)
            .execute();
          await app.events.publish(tx, `ladder:${ladder.id}`);
          return {};
        },
      ),
  };
}
