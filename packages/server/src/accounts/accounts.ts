/**
 * People's accounts: better-auth over our own tables. It keeps passwords, sessions and the tokens of forgotten passwords;
 * what a person may do is ours (auth/). Its routes are served at `/api/auth` by http/auth-route.ts, which decides who may
 * sign up.
 */
import { LanistaError } from "@lanista/api/errors";
import { betterAuth } from "better-auth";
import { APIError } from "better-auth/api";
import { bearer } from "better-auth/plugins";
import type { Logger } from "pino";
import { newSecret } from "../auth/secrets.ts";
import type { Db } from "../db/database.ts";
import type { Mailer } from "./mail.ts";

const RESET_SECONDS = 3600;
const CONFIRM_SECONDS = 86_400;
const MOST_NAME = 100;

export const PASSWORD = { least: 10, most: 128 } as const;

export interface Accounts {
  /** Serves a request below `/api/auth`. */
  handle(request: Request): Promise<Response>;
  /** Whose session the cookie or bearer is; null for none. */
  sessionUser(headers: Headers): Promise<string | null>;
  /** Gives the new account's id. Throws LanistaError `exists` or `invalid`. */
  create(person: { name: string; email: string; password: string }): Promise<string>;
  /** Whether this is the address's password. */
  passwordIs(email: string, password: string): Promise<boolean>;
  /** A token for `/api/auth/reset-password`, good once and for an hour. */
  resetToken(userId: string): Promise<{ secret: string; expiresAt: Date }>;
}

export interface AccountsOptions {
  readonly db: Db;
  readonly log: Logger;
  /** Signs cookies. */
  readonly secret: string;
  readonly mailer: Mailer | null;
  readonly publicUrl: string;
  /** A forgotten password was set anew. */
  passwordReset(userId: string): Promise<void>;
  /** The address is known to be his. */
  emailConfirmed(userId: string): Promise<void>;
}

export function createAccounts(options: AccountsOptions): Accounts {
  const { db, log, secret, mailer, publicUrl, passwordReset, emailConfirmed } = options;
  const tell = (mail: Promise<void>): void =>
    void mail.catch((error: unknown) => log.error({ err: error }, "a mail could not be sent"));
  const auth = betterAuth({
    appName: "Lanista",
    secret,
    baseURL: publicUrl,
    basePath: "/api/auth",
    database: { db, type: "postgres", transaction: true },
    // A browser's own words about where its page came from; http/auth-route.ts makes the request's URL from its Host.
    trustedOrigins: (request) => [...(request === undefined ? [] : [new URL(request.url).origin]), publicUrl],
    logger: { log: (level, message, ...rest) => log[level]({ rest: rest.map(String) }, `accounts: ${message}`) },
    telemetry: { enabled: false },
    // Ours are before it, in http/auth-route.ts.
    rateLimit: { enabled: false },
    plugins: [bearer()],
    user: {
      additionalFields: {
        administrator: { type: "boolean", required: false, defaultValue: false, input: false },
        organiser: { type: "boolean", required: false, defaultValue: false, input: false },
        locked: { type: "boolean", required: false, defaultValue: false, input: false },
      },
    },
    emailAndPassword: {
      enabled: true,
      autoSignIn: true,
      minPasswordLength: PASSWORD.least,
      maxPasswordLength: PASSWORD.most,
      resetPasswordTokenExpiresIn: RESET_SECONDS,
      revokeSessionsOnPasswordReset: true,
      onPasswordReset: ({ user }) => passwordReset(user.id),
      ...(mailer === null
        ? {}
        : {
            // Not waited for: how long a mail takes would tell whether there is such an account.
            sendResetPassword: async ({ user, token }: { user: { email: string }; token: string }) => {
              tell(mailer.send(user.email, "A new password for Lanista", resetText(publicUrl, token)));
            },
          }),
    },
    // Courses let people in by their address, so they must not be able to claim any.
    emailVerification: {
      sendOnSignUp: mailer !== null,
      autoSignInAfterVerification: false,
      expiresIn: CONFIRM_SECONDS,
      afterEmailVerification: (user) => emailConfirmed(user.id),
      ...(mailer === null
        ? {}
        : {
            sendVerificationEmail: async ({ user, token }: { user: { email: string }; token: string }) => {
              tell(mailer.send(user.email, "Your address at Lanista", confirmText(publicUrl, token)));
            },
          }),
    },
    session: { expiresIn: 30 * 86_400, updateAge: 86_400, cookieCache: { enabled: false } },
    verification: { storeIdentifier: "hashed" },
    advanced: {
      cookiePrefix: "lanista",
      // Said, because better-auth leaves them out where it believes to be in a test.
      disableCSRFCheck: false,
      disableOriginCheck: false,
      useSecureCookies: publicUrl.startsWith("https:"),
      defaultCookieAttributes: { sameSite: "lax", httpOnly: true },
      // The address limits are counted by is ours to tell (http/client-address.ts).
      ipAddress: { ipAddressHeaders: ["x-lanista-address"] },
      database: { validateSchema: false },
    },
    disabledPaths: ["/sign-in/social", "/link-social", "/change-email", "/delete-user", "/update-session"],
    databaseHooks: {
      user: {
        create: { before: async (user) => void checkName(user.name) },
        update: { before: async (user) => void (user.name !== undefined && checkName(user.name)) },
      },
      session: {
        create: {
          before: async (session, context) => {
            // Through the adapter: inside the transaction that signs somebody up, nobody else sees him yet.
            const user = await context?.context.internalAdapter.findUserById(session.userId);
            const locked = (user as { locked?: unknown } | null | undefined)?.locked === true;
            if (locked) throw new APIError("FORBIDDEN", { message: "this account is locked", code: "LOCKED" });
          },
        },
      },
    },
  });

  /** Of a sign-in that nobody asked for in order to be signed in. */
  const endSession = async (token: string | null): Promise<void> => {
    if (token !== null) await (await auth.$context).internalAdapter.deleteSession(token);
  };

  return {
    handle: (request) => auth.handler(request),

    async sessionUser(headers) {
      const found = await auth.api.getSession({ headers, query: { disableRefresh: true } });
      return found?.user.id ?? null;
    },

    async create(person) {
      try {
        const { user, token } = await auth.api.signUpEmail({ body: person });
        await endSession(token);
        return user.id;
      } catch (error) {
        if (error instanceof APIError) throw ofAccounts(error);
        throw error;
      }
    },

    async passwordIs(email, password) {
      try {
        const { token } = await auth.api.signInEmail({ body: { email, password } });
        await endSession(token);
        return true;
      } catch (error) {
        if (error instanceof APIError) return false;
        throw error;
      }
    },

    async resetToken(userId) {
      const { internalAdapter } = await auth.$context;
      const { secret: token } = newSecret("");
      const expiresAt = new Date(Date.now() + RESET_SECONDS * 1000);
      await internalAdapter.createVerificationValue({
        value: userId,
        identifier: `reset-password:${token}`,
        expiresAt,
      });
      return { secret: token, expiresAt };
    },
  };
}

function resetText(url: string, token: string): string {
  return `Somebody, probably you, wants a new password for your account at ${url}.

Set it with this one-time token, within an hour:

  lanista password --server ${url} --secret ${token}

If it was not you, do nothing.
`;
}

function confirmText(url: string, token: string): string {
  return `Somebody, probably you, made an account with this address at ${url}.

Say there that it is yours, within a day, and courses that wait for you let you in:

  ${url.replace(/\/+$/, "")}/confirm?token=${encodeURIComponent(token)}

If it was not you, do nothing.
`;
}

/** Control characters, line ends and what turns the direction of text: a name with these passes for what it is not. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

function checkName(name: string): void {
  const length = [...name].length;
  if (length < 1 || length > MOST_NAME || UNPRINTABLE.test(name))
    throw new APIError("BAD_REQUEST", { message: `a name is 1 to ${MOST_NAME} printable characters`, code: "NAME" });
}

function ofAccounts(error: APIError): LanistaError {
  const code = String((error.body as { code?: unknown } | undefined)?.code ?? "");
  return new LanistaError(code.startsWith("USER_ALREADY_EXISTS") ? "exists" : "invalid", error.message, {
    cause: error,
  });
}
