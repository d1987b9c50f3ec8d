/** What a method's `Access` option says, in words. */
import type { DescMethod } from "@bufbuild/protobuf";
import { Scope, SpaceRole } from "@lanista/api/gen/lanista/v1/access_pb";
import { accessOf } from "./load.ts";

const WHO: Readonly<Record<Scope, string>> = {
  [Scope.UNSPECIFIED]: "nobody",
  [Scope.PARTICIPANT]: "every signed-in person",
  [Scope.ORGANISER]: "organisers and administrators",
  [Scope.ADMINISTRATOR]: "administrators",
  [Scope.WORKER]: "workers",
  [Scope.EXECUTOR]: "executor clients",
};

const MEMBERS: Readonly<Record<SpaceRole, string>> = {
  [SpaceRole.UNSPECIFIED]: "",
  [SpaceRole.PARTICIPANT]: "the space's members",
  [SpaceRole.ORGANISER]: "the space's organisers",
  [SpaceRole.GUEST]: "the space's members, guests too",
  [SpaceRole.ASSISTANT]: "the course's staff",
  [SpaceRole.ADMINISTRATOR]: "the course's administrators",
};

/** Begins small and has no full stop. */
export function accessText(method: DescMethod): string {
  const { public: open, scopes, spaceRole, own, others: least } = accessOf(method);
  if (open) return "anybody, without a token";
  const others = scopes.filter((scope) => spaceRole === SpaceRole.UNSPECIFIED || scope !== Scope.PARTICIPANT);
  const who = [MEMBERS[spaceRole], ...others.map((scope) => WHO[scope])].filter((text) => text !== "").join(", ");
  const whom = least === SpaceRole.UNSPECIFIED ? "organisers only" : MEMBERS[least];
  return own ? `${who}; what is another's is open to ${whom}` : who;
}
