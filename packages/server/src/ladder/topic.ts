/** Told of when a ladder may have a match to make: somebody joined, a match ended, rules or a state changed. */
export const MATCHMAKER_TOPIC = "matchmaker";
