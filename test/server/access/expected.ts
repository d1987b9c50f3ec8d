/** What each caller's call must come to, by the method's `Access` option and by nothing else. */
import type { DescMethod } from "@bufbuild/protobuf";
import { getOption } from "@bufbuild/protobuf";
import { access, Scope, SpaceRole } from "@lanista/api/gen/lanista/v1/access_pb";

/** `passes`: neither unauthenticated nor forbidden nor not_found; its state may still refuse it. */
export type Expected = "passes" | "unauthenticated" | "forbidden" | "not_found";

interface Kind {
  /** What its token passes for; none for bad ones. */
  readonly scopes: readonly Scope[];
  /** In the space of the object. */
  readonly role: SpaceRole;
  readonly owns?: true;
}

const { PARTICIPANT, ORGANISER, ADMINISTRATOR, WORKER, EXECUTOR } = Scope;
const NOBODY: Kind = { scopes: [], role: SpaceRole.UNSPECIFIED };

export const CALLERS: Readonly<Record<string, Kind>> = {
  nobody: NOBODY,
  garbage: NOBODY,
  "a token never made": NOBODY,
  "an expired token": NOBODY,
  "a revoked token": NOBODY,
  "a locked administrator": NOBODY,
  "a participant of another space": { scopes: [PARTICIPANT], role: SpaceRole.UNSPECIFIED },
  "the organiser of another space": { scopes: [PARTICIPANT, ORGANISER], role: SpaceRole.UNSPECIFIED },
  "another participant": { scopes: [PARTICIPANT], role: SpaceRole.PARTICIPANT },
  "an organiser elsewhere, participant here": { scopes: [PARTICIPANT, ORGANISER], role: SpaceRole.PARTICIPANT },
  "the owner": { scopes: [PARTICIPANT], role: SpaceRole.PARTICIPANT, owns: true },
  "the organiser": { scopes: [PARTICIPANT, ORGANISER], role: SpaceRole.ORGANISER },
  "the organiser's participant token": { scopes: [PARTICIPANT], role: SpaceRole.PARTICIPANT },
  "the organiser's token for another space": { scopes: [PARTICIPANT, ORGANISER], role: SpaceRole.UNSPECIFIED },
  "the administrator": { scopes: [PARTICIPANT, ORGANISER, ADMINISTRATOR], role: SpaceRole.ORGANISER },
  "the administrator's participant token": { scopes: [PARTICIPANT], role: SpaceRole.UNSPECIFIED },
  "a worker": { scopes: [WORKER], role: SpaceRole.UNSPECIFIED },
  "another worker": { scopes: [WORKER], role: SpaceRole.UNSPECIFIED },
  "an executor": { scopes: [EXECUTOR], role: SpaceRole.UNSPECIFIED },
};

/** Where the handler is stricter than the option can say, and why. */
const STRICTER: Readonly<Record<string, (caller: string) => Expected | undefined>> = {
  // There is an administrator: the one-time token is no more.
  "TokenService/InitAdministrator": () => "forbidden",
  // An upload is its maker's alone.
  "AgentService/GetUpload": (caller) => (isMember(caller) ? "not_found" : undefined),
  "AgentService/UploadPart": (caller) => (isMember(caller) ? "not_found" : undefined),
  // Who has no agent on the ladder has nobody to play with, unless he organises it.
  "MatchService/RequestMatch": (caller) =>
    caller === "an organiser elsewhere, participant here" || caller === "the organiser's participant token"
      ? "forbidden"
      : undefined,
  // Who organises a space may not found another one unless an administrator let him.
  "SpaceService/CreateSpace": (caller) =>
    caller === "an organiser elsewhere, participant here" || caller === "the organiser's token for another space"
      ? "forbidden"
      : undefined,
  // A token is its owner's, and it is in no space.
  "TokenService/RevokeToken": (caller) =>
    caller !== "the owner" && caller !== "the administrator" && scopesOf(caller).includes(PARTICIPANT)
      ? "not_found"
      : undefined,
  // What a worker says is about itself.
  "WorkerService/Attend": (caller) => (caller === "another worker" ? "forbidden" : undefined),
  "WorkerService/Lease": (caller) => (caller === "another worker" ? "not_found" : undefined),
  "WorkerService/Heartbeat": (caller) => (caller === "another worker" ? "not_found" : undefined),
  "WorkerService/Report": (caller) => (caller === "another worker" ? "not_found" : undefined),
  "WorkerService/FetchBundle": (caller) => (caller === "another worker" ? "not_found" : undefined),
};

const scopesOf = (caller: string): readonly Scope[] => CALLERS[caller]?.scopes ?? [];
const isMember = (caller: string): boolean =>
  caller !== "the owner" && (CALLERS[caller]?.role ?? SpaceRole.UNSPECIFIED) !== SpaceRole.UNSPECIFIED;

export function expected(method: DescMethod, caller: string): Expected {
  const stricter = STRICTER[`${method.parent.name}/${method.name}`]?.(caller);
  if (stricter !== undefined) return stricter;
  const option = getOption(method, access);
  if (option.public) return "passes";
  const { scopes, role, owns } = CALLERS[caller] ?? NOBODY;
  if (scopes.length === 0) return "unauthenticated";
  if (!option.scopes.some((scope) => scopes.includes(scope))) return "forbidden";
  if (option.spaceRole === SpaceRole.UNSPECIFIED) return "passes";
  if (role === SpaceRole.UNSPECIFIED) return "not_found";
  if (role < option.spaceRole) return "forbidden";
  if (option.own && role !== SpaceRole.ORGANISER && owns !== true) return "not_found";
  return "passes";
}

/** A state that does not allow it, or a value that there is already, is not about who calls. */
const PASSES = new Set(["ok", "invalid", "conflict", "exists", "aborted"]);

export function asExpected(code: string): string {
  return PASSES.has(code) ? "passes" : code;
}
