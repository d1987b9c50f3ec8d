/**
 * Finds out who calls: a token of ours by its hash, or a session by cookie or bearer. What was found is kept for a few
 * seconds; whatever takes rights away (a revocation, a lock, another role) tells `ACCOUNTS_CHANGED`, and every server
 * forgets all it kept.
 */
import { LanistaError } from "@lanista/api/errors";
import { sql } from "kysely";
import type { Accounts } from "../accounts/accounts.ts";
import type { Db } from "../db/database.ts";
import type { TokenScope } from "../db/types.ts";
import type { Events } from "../events.ts";
import { ANONYMOUS, type Caller, type CallerUser } from "./caller.ts";
import { cutDown, scopesOfPerson } from "./scopes.ts";
import { hashSecret, TOKEN_START } from "./secrets.ts";

export const ACCOUNTS_CHANGED = "accounts";

const KEEP_MS = 3_000;
const KEEP_MOST = 10_000;
const BEARER = /^bearer +(\S+) *$/i;
const MOST_SECRET = 512;

interface Found {
  readonly caller: Caller;
  /** It came by cookie alone: a browser sends that by itself, whoever made the page. */
  readonly byCookie: boolean;
}

export class Callers {
  readonly #db: Db;
  readonly #accounts: Accounts;
  readonly #kept = new Map<string, { caller: Caller; until: number; dies: number }>();
  readonly #leave: () => void;
  /** Grows when all is forgotten: what was asked before and is answered after is not kept. */
  #age = 0;

  constructor(db: Db, accounts: Accounts, events: Events) {
    this.#db = db;
    this.#accounts = accounts;
    this.#leave = events.subscribe(ACCOUNTS_CHANGED, () => this.forget());
  }

  close(): void {
    this.#leave();
    this.forget();
  }

  forget(): void {
    this.#age++;
    this.#kept.clear();
  }

  /** Anonymous where nothing was brought. Throws LanistaError `unauthenticated` where what was brought is not good. */
  async find(header: Headers): Promise<Found> {
    const authorization = header.get("authorization");
    if (authorization !== null) {
      const secret = BEARER.exec(authorization)?.[1];
      if (secret === undefined || secret.length > MOST_SECRET) throw refused();
      if (secret.startsWith(TOKEN_START)) return { caller: await this.#byToken(secret), byCookie: false };
      const caller = await this.#bySession(new Headers({ authorization }));
      if (caller === null) throw refused();
      return { caller, byCookie: false };
    }
    const cookie = header.get("cookie");
    if (cookie === null) return { caller: ANONYMOUS, byCookie: false };
    const caller = await this.#bySession(new Headers({ cookie }));
    return caller === null ? { caller: ANONYMOUS, byCookie: false } : { caller, byCookie: true };
  }

  /**
   * All that a caller's rights rest on, as one text: another text means other rights. Asked of the database each time. Throws
   * LanistaError `unauthenticated`.
   */
  async standing(header: Headers): Promise<string> {
    const secret = BEARER.exec(header.get("authorization") ?? "")?.[1];
    const caller = secret?.startsWith(TOKEN_START)
      ? ((await this.#readToken(hashSecret(secret)))?.caller ?? null)
      : (await this.find(header)).caller;
    if (caller === null || caller.scopes.size === 0) throw refused();
    const spaces =
      caller.user === null
        ? []
        : await this.#db
            .selectFrom("members")
            .select(["space_id", "role"])
            .where("user_id", "=", caller.user.id)
            .orderBy("space_id")
            .execute();
    return JSON.stringify([caller.name, [...caller.scopes], caller.spaceId, caller.queues, spaces]);
  }

  async #byToken(secret: string): Promise<Caller> {
    const hash = hashSecret(secret);
    const key = hash.toString("base64");
    const now = Date.now();
    const kept = this.#kept.get(key);
    if (kept !== undefined && kept.until > now && kept.dies > now) return kept.caller;
    const age = this.#age;
    const found = await this.#readToken(hash);
    if (found === null) throw refused();
    if (age === this.#age) {
      if (this.#kept.size >= KEEP_MOST) this.#kept.clear();
      this.#kept.set(key, { caller: found.caller, until: now + KEEP_MS, dies: found.dies });
    }
    return found.caller;
  }

  async #readToken(hash: Buffer): Promise<{ caller: Caller; dies: number } | null> {
    const row = await this.#db
      .selectFrom("tokens as t")
      .leftJoin("user as u", "u.id", "t.user_id")
      .select([
        "t.id",
        "t.name as tokenName",
        "t.scope",
        "t.space_id",
        "t.queues",
        "t.expires_at",
        "t.user_id",
        "u.name",
        "u.email",
        "u.administrator",
        "u.organiser",
        "u.locked",
        sql<boolean>`t.last_used_at IS NULL OR t.last_used_at < now() - interval '1 minute'`.as("stale"),
        sql<boolean>`EXISTS (SELECT FROM members m WHERE m.user_id = t.user_id AND m.role IN ('assistant', 'organiser', 'administrator'))`.as(
          "organises",
        ),
      ])
      .where("t.secret_hash", "=", hash)
      .where("t.revoked_at", "is", null)
      .where("t.expires_at", ">", sql<Date>`now()`)
      .executeTakeFirst();
    if (row === undefined) return null;
    if (row.stale)
      await this.#db.updateTable("tokens").set({ last_used_at: sql<Date>`now()` }).where("id", "=", row.id).execute();
    const dies = row.expires_at.getTime();
    const common = { name: `token:${row.id}`, tokenId: row.id, spaceId: row.space_id, queues: row.queues };
    if (row.user_id === null) {
      // A machine's passes for itself alone, and a person's scope without a person for nothing.
      if (row.scope !== "worker" && row.scope !== "executor") return null;
      return { caller: { ...common, user: null, scopes: new Set<TokenScope>([row.scope]) }, dies };
    }
    if (row.locked !== false || row.scope === "worker" || row.scope === "executor") return null;
    const user: CallerUser = {
      id: row.user_id,
      name: row.name ?? "",
      email: row.email ?? "",
      administrator: row.administrator ?? false,
      organiser: row.organiser ?? false,
    };
    return {
      caller: { ...common, user, scopes: cutDown(scopesOfPerson({ ...user, organises: row.organises }), row.scope) },
      dies,
    };
  }

  async #bySession(headers: Headers): Promise<Caller | null> {
    const userId = await this.#accounts.sessionUser(headers);
    if (userId === null) return null;
    const row = await this.#db
      .selectFrom("user as u")
      .select([
        "u.id",
        "u.name",
        "u.email",
        "u.administrator",
        "u.organiser",
        sql<boolean>`EXISTS (SELECT FROM members m WHERE m.user_id = u.id AND m.role IN ('assistant', 'organiser', 'administrator'))`.as(
          "organises",
        ),
      ])
      .where("u.id", "=", userId)
      .where("u.locked", "=", false)
      .executeTakeFirst();
    if (row === undefined) return null;
    const { id, name, email, administrator, organiser, organises } = row;
    return {
      name: `user:${id}`,
      user: { id, name, email, administrator, organiser },
      scopes: scopesOfPerson({ administrator, organiser, organises }),
      tokenId: null,
      spaceId: null,
      queues: [],
    };
  }
}

function refused(): LanistaError {
  return new LanistaError("unauthenticated", "the token or session is not good, or no longer", {
    hint: "Sign in again, or have a new token made.",
  });
}
