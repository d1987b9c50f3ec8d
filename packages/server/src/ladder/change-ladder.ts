/** What organisers do to a ladder: each under the ladder's row, in the caller's transaction. The matchmaker does the rest. */
import { LanistaError } from "@lanista/api/errors";
import { sql } from "kysely";
import type { App } from "../app.ts";
import type { Tx } from "../db/database.ts";
import { MOST_PLANNED, type Plan, places, plannedMatches } from "./plan.ts";
import { INITIAL_SIGMA, VERSION_SIGMA } from "./rating.ts";
import type { LadderRow } from "./rows.ts";
import { ladderRules, type StoredRules } from "./rules.ts";
import { MATCHMAKER_TOPIC } from "./topic.ts";
import { PLACEMENT } from "./urgency.ts";

/** Agents in one plan. */
const MOST_AGENTS = 2000;

async function changed(app: App, tx: Tx, ladder: LadderRow, set: Partial<LadderRow>): Promise<LadderRow> {
  const { plan, rules, ...plain } = set;
  const row = await tx
    .updateTable("ladders")
    .set({
      ...plain,
      ...(plan === undefined ? {} : { plan: plan === null ? null : JSON.stringify(plan) }),
      ...(rules === undefined ? {} : { rules: JSON.stringify(rules) }),
    })
    .where("id", "=", ladder.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  await app.events.publish(tx, `ladder:${ladder.id}`, MATCHMAKER_TOPIC);
  return row;
}

/** Frozen, also out of finals that shall not go on; or open again, also after finals. */
export async function freeze(app: App, tx: Tx, ladder: LadderRow, frozen: boolean): Promise<LadderRow> {
  if (!frozen && ladder.state === "finals")
    throw new LanistaError("conflict", "the finals are being played", { hint: "Freeze the ladder first to end them." });
  if (frozen && ladder.state === "finished")
    throw new LanistaError("conflict", "the ladder's finals are over: it takes nothing in already");
  return await changed(app, tx, ladder, { state: frozen ? "frozen" : "open", plan: null, plan_next: 0 });
}

/** Everybody active, or the board's first; `rounds` times with every seating. */
export async function startFinals(
  app: App,
  tx: Tx,
  ladder: LadderRow,
  rounds: number,
  top: number,
): Promise<{ ladder: LadderRow; matches: number }> {
  if (ladder.state === "finals" || ladder.state === "finished")
    throw new LanistaError(
      "conflict",
      `the ladder's finals are ${ladder.state === "finals" ? "being played" : "over"}`,
      {
        hint: "Freeze it, or open it again, first.",
      },
    );
  const { plan, matches } = await planOf(tx, ladder, "finals", rounds, top);
  await tx
    .updateTable("ladder_agents")
    .set({ final_elo: null, final_low: null, final_high: null })
    .where("ladder_id", "=", ladder.id)
    .where("final_elo", "is not", null)
    .execute();
  // Finals that were given up may have matches that still run, or that were set aside: they are none of these.
  await tx
    .updateTable("matches")
    .set({ rated: false })
    .where("ladder_id", "=", ladder.id)
    .where("reason", "=", "finals")
    .where("rated", "=", true)
    .where("state", "in", ["waiting", "running", "dead"])
    .execute();
  const row = await changed(app, tx, ladder, { state: "finals", plan, plan_next: 0, finals_from: ladder.log_length });
  return { ladder: row, matches };
}

/** Everybody against everybody once, rated as any other match. */
export async function startRound(app: App, tx: Tx, ladder: LadderRow): Promise<LadderRow> {
  if (ladder.state !== "open") throw new LanistaError("conflict", `the ladder is ${ladder.state}: no round is played`);
  if (ladder.plan !== null) throw new LanistaError("conflict", "a round is being played already");
  const { plan } = await planOf(tx, ladder, "round", 1, 0);
  return await changed(app, tx, ladder, { plan, plan_next: 0 });
}

async function planOf(
  tx: Tx,
  ladder: LadderRow,
  kind: Plan["kind"],
  rounds: number,
  top: number,
): Promise<{ plan: Plan; matches: number }> {
  const { seats } = ladderRules(ladder);
  const rows = await tx
    .selectFrom("ladder_agents as l")
    .innerJoin("agents as a", "a.id", "l.agent_id")
    .select(["l.agent_id as agent", "l.version_id as version", "a.owner_id as owner"])
    .where("l.ladder_id", "=", ladder.id)
    .where("l.active", "=", true)
    .orderBy("l.rating", "desc")
    .orderBy("l.agent_id")
    .limit(Math.min(top || MOST_AGENTS + 1, MOST_AGENTS + 1))
    .execute();
  const all = places(rows.length, seats, rounds);
  if (rows.length > MOST_AGENTS || all > MOST_PLANNED)
    throw new LanistaError("too_large", `these would be more than ${MOST_PLANNED} matches`, {
      hint: "Play fewer rounds, or take the board's first only (top).",
    });
  const plan: Plan = { kind, rounds, agents: rows };
  const matches = plannedMatches(plan, seats);
  if (matches === 0) throw new LanistaError("conflict", `the ladder has too few agents for a match of ${seats} seats`);
  return { plan, matches };
}

/** Throws LanistaError `conflict` where the log would no longer be of one game. */
export async function changeRules(app: App, tx: Tx, ladder: LadderRow, rules: StoredRules): Promise<LadderRow> {
  const before = ladderRules(ladder);
  const same = (key: "env" | "options"): boolean => JSON.stringify(before[key]) === JSON.stringify(rules[key]);
  const sameFiles = before.environment?.files === rules.environment?.files;
  if (ladder.log_length > 0 && !(same("env") && same("options") && sameFiles))
    throw new LanistaError("conflict", "the environment and its options cannot change once a match is logged", {
      field: "rules.env",
      hint: "Make a ladder of its own for it.",
    });
  await tx
    .updateTable("ladder_agents")
    .set({
      urgency: sql<number>`
        CASE WHEN rated_version_id IS NULL OR rated_version_id = version_id THEN sigma
          ELSE least(${INITIAL_SIGMA}::float8, sqrt(sigma ^ 2 + ${VERSION_SIGMA}::float8 ^ 2)) END
        + CASE WHEN matches < ${rules.placementMatches}::int THEN ${PLACEMENT}::float8 ELSE 0 END`,
    })
    .where("ladder_id", "=", ladder.id)
    .execute();
  return await changed(app, tx, ladder, { rules });
}

export async function changeTitle(
  app: App,
  tx: Tx,
  ladder: LadderRow,
  set: { readonly title?: string; readonly public?: boolean },
): Promise<LadderRow> {
  return await changed(app, tx, ladder, set);
}
