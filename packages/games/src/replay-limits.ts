/**
 * What a replay may be at most. The reader refuses what is over it, for a replay comes from anybody; so does the writer, at the
 * moment a limit is passed, so that no file is written that nobody could read.
 */

/** Characters of the whole text; as bytes of the unpacked file, the bound is the same. */
export const MAX_REPLAY = 64 * 1024 * 1024;
/** Characters of one line. */
export const MAX_REPLAY_LINE = 64 * 1024;
/**
 * Steps of the whole match: some 350 bytes each in the memory of who reads it. Episodes as well, for each has a step or ends the
 * match.
 */
export const MAX_REPLAY_STEPS = 1_000_000;
/** Of one action, in all its parts. */
export const MAX_REPLAY_NUMBERS = 256;
/** UTF-16 units of one action's texts, all together. */
export const MAX_REPLAY_TEXT = 8192;
/** Lists within lists in one action. */
export const MAX_REPLAY_DEPTH = 8;
