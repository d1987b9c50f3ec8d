/** The queue's own bounds. What an operator may choose is in the configuration. */

/** Seconds a job may wait before it ends as nobody's: a week. */
export const DEFAULT_WAIT_SECONDS = 7 * 24 * 3600;
export const DEFAULT_MAX_ATTEMPTS = 3;
/** Attempts a job may have in all, orderly stops of workers and revivals by hand included. */
export const MOST_ATTEMPTS = 100;
/** Seconds beyond an attempt's own time after which the server takes it for lost: its worker stops it before. */
export const ATTEMPT_GRACE_SECONDS = 30;

/** Seconds before the second attempt, about; twice that before the next, and so on. */
export const BACKOFF_SECONDS = 2;
export const MOST_BACKOFF_SECONDS = 300;
/** Seconds that are left to a job's next attempt at least, whatever of its patience is over. */
export const RETRY_WAIT_SECONDS = 600;
/** Seconds for which a job that failed on a worker is left to the others, if there are any. */
export const AVOID_SECONDS = 10;

/** Bytes of UTF-8 that are kept: of each seat's log, and of a match's moves. */
export const MOST_LOG_BYTES = 1024 * 1024;
export const MOST_MOVES_BYTES = 64 * 1024 * 1024;
/** Seats a log may name; what names another is dropped. */
export const MOST_SEATS = 64;

/** What a worker reports of a match that failed by its bundled environment: another attempt would fail by it again. */
export const ENVIRONMENT_AT_FAULT = "environment";

/** What a worker that is told to stop reports of its jobs: no attempt is used up, and the next begins at once. */
export const WORKER_STOPPED = "worker_stopped";
