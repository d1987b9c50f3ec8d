import type { Accounts } from "../accounts/accounts.ts";
import type { App } from "../app.ts";
import type { Callers } from "../auth/callers.ts";
import type { Readiness } from "../http/readiness.ts";

/** What the services of accounts and spaces are given beside the App. */
export interface ServiceParts {
  readonly app: App;
  readonly accounts: Accounts;
  readonly callers: Callers;
  /** Where people reach this server, without a slash at the end: as configured, else the address it listens at. */
  readonly publicUrl: () => string;
  readonly readiness: Readiness;
}
