/**
 * What a call rejects with, as it goes over the wire. A LanistaError goes as it is; so does what the protocol's library
 * refused. The database's absence is `unavailable`, a value it cannot hold is `invalid`. All else is a fault of ours:
 * `internal`, without its text.
 */
import { Code, ConnectError } from "@connectrpc/connect";
import { LanistaError, toConnectError } from "@lanista/api/errors";
import { ErrorDetailSchema } from "@lanista/api/gen/lanista/v1/common_pb";
import { DatabaseError } from "pg";

export interface WireError {
  readonly error: ConnectError;
  /** A fault of ours: its text belongs into the log. */
  readonly ours: boolean;
}

export function toWire(error: unknown, requestId: string): WireError {
  if (error instanceof ConnectError) {
    // What the library refuses so is a message's size.
    if (error.code === Code.ResourceExhausted && error.findDetails(ErrorDetailSchema).length === 0)
      return toWire(new LanistaError("too_large", error.rawMessage), requestId);
    return { error: withDetail(error, requestId), ours: false };
  }
  const known = error instanceof LanistaError ? error : fromDatabase(error);
  if (known !== null) return { error: toConnectError(known, requestId), ours: known.code === "internal" };
  if (isAbort(error)) return { error: new ConnectError("the call was cancelled", Code.Canceled), ours: false };
  const hidden = new LanistaError("internal", "a fault of the server's; it is in its log under the request's id");
  return { error: toConnectError(hidden, requestId), ours: true };
}

function withDetail(error: ConnectError, requestId: string): ConnectError {
  if (error.findDetails(ErrorDetailSchema).length === 0)
    error.details.push({ desc: ErrorDetailSchema, value: { code: codeWord(error.code), requestId } });
  return error;
}

function codeWord(code: Code): string {
  switch (code) {
    case Code.InvalidArgument:
      return "invalid";
    case Code.Unauthenticated:
      return "unauthenticated";
    case Code.PermissionDenied:
      return "forbidden";
    case Code.NotFound:
    case Code.Unimplemented:
      return "not_found";
    case Code.Canceled:
      return "cancelled";
    case Code.Aborted:
      return "aborted";
    case Code.Internal:
    case Code.Unknown:
      return "internal";
    default:
      return "unavailable";
  }
}

const away = () =>
  new LanistaError("unavailable", "the database is away at the moment", { hint: "Try again in a few seconds." });

/** Connections' errors of node: and of pg's own, that has no codes for its. */
const CONNECTION = /^(ECONN|EPIPE|ENOENT|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|EAI_AGAIN|ENOTFOUND)/;
const CONNECTION_TEXT =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|timeout expired|Cannot use a pool after)/;

/** null where it is none of the database's. */
export function fromDatabase(error: unknown): LanistaError | null {
  if (error instanceof DatabaseError) {
    const code = error.code ?? "";
    if (code.startsWith("08") || code.startsWith("57P") || code.startsWith("53") || code === "57014") return away();
    if (code === "40001" || code === "40P01" || code === "55P03")
      return new LanistaError("aborted", "two changes met", { hint: "Try again.", cause: error });
    // Text with a NUL, a number out of range, a date that is none: the caller's, since no value of ours is such.
    if (code.startsWith("22")) return new LanistaError("invalid", "a value cannot be stored", { cause: error });
    return null;
  }
  if (!(error instanceof Error)) return null;
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (
    syscall !== undefined &&
    ["connect", "read", "write", "getaddrinfo"].includes(syscall) &&
    CONNECTION.test(code ?? "")
  )
    return away();
  return CONNECTION_TEXT.test(error.message) ? away() : null;
}

/** Who called has gone: what is still written to him fails so. */
const GONE = new Set([
  "ERR_STREAM_DESTROYED",
  "ERR_STREAM_PREMATURE_CLOSE",
  "ERR_STREAM_WRITE_AFTER_END",
  "ERR_HTTP2_INVALID_STREAM",
]);

function isAbort(error: unknown): boolean {
  return (
    error instanceof Error && (error.name === "AbortError" || GONE.has((error as NodeJS.ErrnoException).code ?? ""))
  );
}
