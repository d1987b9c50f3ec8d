/**
 * The one error model: a closed set of codes, one function that coerces, one table to RPC codes.
 *
 * What the server refuses is a LanistaError; anything else that is thrown is a fault of ours and reaches a client as
 * `internal` without its text, which goes to the log under the request's id.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorDetailSchema } from "@lanista/api/gen/lanista/v1/common_pb";

/** Each code and the RPC code it travels as. */
export const ERROR_CODES = {
  /** The request makes no sense; `field` names where. */
  invalid: Code.InvalidArgument,
  /** No token, or none that is good. */
  unauthenticated: Code.Unauthenticated,
  /** A good token of somebody who may not. */
  forbidden: Code.PermissionDenied,
  /** Not there, or nothing the caller may know of. */
  not_found: Code.NotFound,
  /** There is one already, or its state does not allow it. */
  conflict: Code.FailedPrecondition,
  exists: Code.AlreadyExists,
  /** A quota of the caller's is used up. */
  quota_exceeded: Code.ResourceExhausted,
  /** Too many requests: `hint` says when to try again. */
  rate_limited: Code.ResourceExhausted,
  too_large: Code.OutOfRange,
  /** The work was stopped because somebody asked for that. */
  cancelled: Code.Canceled,
  /** The same idempotency key came with another request, or two writers met: try again. */
  aborted: Code.Aborted,
  /** Not now: the server drains, or the database is away. */
  unavailable: Code.Unavailable,
  internal: Code.Internal,
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface ErrorExtra {
  /** What to do about it. */
  readonly hint?: string;
  /** The request's field at fault. */
  readonly field?: string;
  readonly cause?: unknown;
}

export class LanistaError extends Error {
  override readonly name = "LanistaError";
  readonly code: ErrorCode;
  readonly hint: string;
  readonly field: string;

  constructor(code: ErrorCode, message: string, extra: ErrorExtra = {}) {
    super(message, extra.cause === undefined ? undefined : { cause: extra.cause });
    this.code = code;
    this.hint = extra.hint ?? "";
    this.field = extra.field ?? "";
  }
}

/** What goes over the wire. `requestId` stands in the server's log too. */
export function toConnectError(error: LanistaError, requestId = ""): ConnectError {
  const { code, hint, field } = error;
  return new ConnectError(
    error.message,
    ERROR_CODES[code],
    undefined,
    [{ desc: ErrorDetailSchema, value: { code, hint, field, requestId } }],
    error.cause,
  );
}

const fallbacks: Partial<Record<Code, ErrorCode>> = {
  // What a server of ours refuses by this code brings a detail; without one it is the protocol's library, of a message's size.
  [Code.ResourceExhausted]: "too_large",
  [Code.DeadlineExceeded]: "unavailable",
};

/** A LanistaError of whatever a call rejected with: the server's own words where it sent them. */
export function fromWire(error: unknown): LanistaError {
  const wire = ConnectError.from(error);
  const refused = (wire.cause as { code?: unknown } | undefined)?.code;
  if (typeof refused === "string" && /^E[A-Z]+$/.test(refused))
    return new LanistaError("unavailable", `the server does not answer (${refused})`, {
      hint: "Is it the right address, and is the server up?",
      cause: error,
    });
  const [detail] = wire.findDetails(ErrorDetailSchema);
  const known = Object.entries(ERROR_CODES).find(([, code]) => code === wire.code)?.[0] as ErrorCode | undefined;
  const code =
    detail !== undefined && detail.code in ERROR_CODES
      ? (detail.code as ErrorCode)
      : (fallbacks[wire.code] ?? known ?? "internal");
  const extra = detail === undefined ? {} : { hint: detail.hint, field: detail.field };
  return new LanistaError(code, wire.rawMessage, { ...extra, cause: error });
}
