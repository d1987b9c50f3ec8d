/**
 * The refusals that are not a number's bound (those are BundleLimits). Each can be left out by name, which only tests do:
 * they show that a hostile archive would get through but for the one guard that is meant to stop it.
 */
export const allGuards = [
  "absolute",
  "backslash",
  "case",
  "control",
  "drive",
  "duplicate",
  "encrypted",
  "leaves",
  "link",
  "overlap",
  "sizes",
  "special",
  "utf8",
] as const;

export type Guard = (typeof allGuards)[number];
export type Guards = ReadonlySet<Guard>;

/** Every guard. */
export const guarded: Guards = new Set(allGuards);
