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
  "a guest": { scopes: [PARTICIPANT], role: SpaceRole.GUEST },
  "the assistant": { scopes: [PARTICIPANT, ORGANISER], role: SpaceRole.ASSISTANT },
  "the lecturer": { scopes: [PARTICIPANT, ORGANISER], role: SpaceRole.ORGANISER },
  "the owner": { scopes: [PARTICIPANT], role: SpaceRole.PARTICIPANT, owns: true },
  "the organiser": { scopes: [PARTICIPANT, ORGANISER], role: SpaceRole.ADMINISTRATOR },
  "the organiser's participant token": { scopes: [PARTICIPANT], role: SpaceRole.PARTICIPANT },
  "the organiser's token for another space": { scopes: [PARTICIPANT, ORGANISER], role: SpaceRole.UNSPECIFIED },
  "the administrator": { scopes: [PARTICIPANT, ORGANISER, ADMINISTRATOR], role: SpaceRole.ADMINISTRATOR },
  "the administrator's participant token": { scopes: [PARTICIPANT], role: SpaceRole.UNSPECIFIED },
  "a worker": { scopes: [WORKER], role: SpaceRole.UNSPECIFIED },
  "another worker": { scopes: [WORKER], role: SpaceRole.UNSPECIFIED },
  "an executor": { scopes: [EXECUTOR], role: SpaceRole.UNSPECIFIED },
};

/** From the least to the most. */
const RANKS = [SpaceRole.UNSPECIFIED, SpaceRole.GUEST, SpaceRole.PARTICIPANT, SpaceRole.ASSISTANT, SpaceRole.ORGANISER];
const rank = (role: SpaceRole): number => (RANKS.includes(role) ? RANKS.indexOf(role) : RANKS.length);

/** Where the handler is stricter than the option can say, and why. */
const STRICTER: Readonly<Record<string, (caller: string) => Expected | undefined>> = {
  // There is an administrator: the one-time token is no more.
  "TokenService/InitAdministrator": () => "forbidden",
  // An upload is its maker's alone; that others' is there is not told to guests either.
  "AgentService/GetUpload": (caller) => (isMember(caller) ? "not_found" : undefined),
  "AgentService/UploadPart": (caller) => (isMember(caller) ? "not_found" : undefined),
  // Who has no agent on the ladder has nobody to play with, unless he organises it.
  "MatchService/RequestMatch": (caller) =>
    ["an organiser elsewhere, participant here", "the organiser's participant token", "the assistant"].includes(caller)
      ? "forbidden"
      : undefined,
  // Who organises a space may not found another one unless an administrator let him.
  "SpaceService/CreateSpace": (caller) =>
    ["an organiser elsewhere, participant here", "the organiser's token for another space", ...APPOINTED].includes(
      caller,
    )
      ? "forbidden"
      : undefined,
  // A course that nothing of the caller's address opens is not there for him.
  "CourseService/JoinCourse": (caller) =>
    caller === "the organiser's token for another space"
      ? "forbidden"
      : scopesOf(caller).includes(PARTICIPANT) && roleOf(caller) === SpaceRole.UNSPECIFIED
        ? "not_found"
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

/** Staff of space A whom nobody let found spaces. */
const APPOINTED = ["the assistant", "the lecturer"];

const roleOf = (caller: string): SpaceRole => CALLERS[caller]?.role ?? SpaceRole.UNSPECIFIED;
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
  if (rank(role) < rank(option.spaceRole)) return "forbidden";
  const others = option.others === SpaceRole.UNSPECIFIED ? SpaceRole.ORGANISER : option.others;
  if (option.own && rank(role) < rank(others) && owns !== true) return "not_found";
  return "passes";
}

/** A state that does not allow it, or a value that there is already, is not about who calls. */
const PASSES = new Set(["ok", "invalid", "conflict", "exists", "aborted"]);

export function asExpected(code: string): string {
  return PASSES.has(code) ? "passes" : code;
}
