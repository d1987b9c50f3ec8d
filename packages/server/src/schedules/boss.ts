/** pg-boss on the server's own connections: it keeps the clock of schedules, in a schema of its own in the same database. */
import { PgBoss } from "pg-boss";
import type { App } from "../app.ts";

/** Nothing is asked of the database before `start`. */
export function newBoss(app: App): PgBoss {
  return new PgBoss({ db: { executeSql: (text, values) => app.database.pool.query(text, values) } });
}
