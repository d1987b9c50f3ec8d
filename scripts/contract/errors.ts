/** The error codes that a call may be answered with, and the HTTP status of each. */
import type { DescMethod } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import { ERROR_CODES, type ErrorCode } from "@lanista/api/errors";
import { SpaceRole } from "@lanista/api/gen/lanista/v1/access_pb";
import { accessOf } from "./load.ts";

/** Connect's table, but for what is too large: the server answers that with HTTP's own word for it. */
const STATUS: Readonly<Record<Code, number>> = {
  [Code.Canceled]: 499,
  [Code.Unknown]: 500,
  [Code.InvalidArgument]: 400,
  [Code.DeadlineExceeded]: 504,
  [Code.NotFound]: 404,
  [Code.AlreadyExists]: 409,
  [Code.PermissionDenied]: 403,
  [Code.ResourceExhausted]: 429,
  [Code.FailedPrecondition]: 400,
  [Code.Aborted]: 409,
  [Code.OutOfRange]: 413,
  [Code.Unimplemented]: 501,
  [Code.Internal]: 500,
  [Code.Unavailable]: 503,
  [Code.DataLoss]: 500,
  [Code.Unauthenticated]: 401,
};

export interface ErrorRow {
  readonly code: ErrorCode;
  readonly rpc: string;
  readonly status: number;
}

export const ERRORS: readonly ErrorRow[] = (Object.entries(ERROR_CODES) as [ErrorCode, Code][]).map(([code, rpc]) => ({
  code,
  rpc: codeToString(rpc),
  status: STATUS[rpc],
}));

const ALWAYS: readonly ErrorCode[] = ["invalid", "rate_limited", "too_large", "unavailable", "internal"];

/** Beside what every call may be answered with. */
export function ownErrors(method: DescMethod): readonly ErrorCode[] {
  const { public: open, spaceRole, mutation } = accessOf(method);
  const object = spaceRole !== SpaceRole.UNSPECIFIED || method.input.fields.length > 0;
  return [
    ...(open ? [] : (["unauthenticated"] as const)),
    ...(!open || object ? (["forbidden"] as const) : []),
    ...(object ? (["not_found"] as const) : []),
    ...(mutation ? (["conflict", "exists", "quota_exceeded", "aborted"] as const) : []),
  ];
}

/** By HTTP status, ascending. */
export function statusesOf(method: DescMethod): ReadonlyMap<number, readonly ErrorRow[]> {
  const codes = new Set([...ALWAYS, ...ownErrors(method)]);
  const rows = ERRORS.filter(({ code }) => codes.has(code));
  const statuses = [...new Set(rows.map(({ status }) => status))].toSorted((a, b) => a - b);
  return new Map(statuses.map((status) => [status, rows.filter((row) => row.status === status)]));
}
