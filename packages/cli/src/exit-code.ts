/** How the command ends, for scripts. The texts appear in `lanista --help` and docs/cli.md. */
export const EXIT = {
  /** Done; for a match: played to its end. */
  done: 0,
  /** A check was made and found something wanting (a replay that differs, an agent that is not valid). */
  found: 1,
  /** Bad usage or bad input: what, where and what to do stands on standard error. */
  usage: 2,
  /** A match was decided by an agent's fault. */
  agentFault: 3,
  /** Our fault, or the host's: nobody lost by it. */
  infraFault: 4,
  /** Interrupted, everything cleaned up; main.ts turns it into 128 + the signal's number. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_CODES_HELP = `
Exit codes:
  0    done; a match was played to its end
  1    a check found something wanting (replay verify, grade verify, env check, task check, validate, doctor)
  2    bad usage or bad input
  3    an agent's fault decided the match
  4    our fault or the host's; nobody lost by it
  130  interrupted by Ctrl-C; 143 by SIGTERM, 129 by SIGHUP`;
