/** What a method's `Access` option says, and whether a caller passes it. Without an option nobody does. */
import type { DescMethod } from "@bufbuild/protobuf";
import { getOption, hasOption } from "@bufbuild/protobuf";
import { LanistaError } from "@lanista/api/errors";
import { type Access, access } from "@lanista/api/gen/lanista/v1/access_pb";
import type { Caller } from "../auth/caller.ts";
import { scopeName } from "../auth/scopes.ts";

/** undefined where the method has none. */
export function accessOf(method: DescMethod): Access | undefined {
  return hasOption(method, access) ? getOption(method, access) : undefined;
}

/** Throws LanistaError `unauthenticated` or `forbidden`. */
export function checkAccess(method: DescMethod, option: Access | undefined, caller: Caller): void {
  if (option?.public === true) return;
  if (caller.scopes.size === 0)
    throw new LanistaError("unauthenticated", "this call needs a token or a session", {
      hint: "Send it as `Authorization: Bearer TOKEN`.",
    });
  const passes = option?.scopes.some((scope) => {
    const name = scopeName(scope);
    return name !== undefined && caller.scopes.has(name);
  });
  if (passes !== true)
    throw new LanistaError("forbidden", `${method.name} is not for a caller of scope ${[...caller.scopes].join(", ")}`);
}
