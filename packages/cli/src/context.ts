import type { ExitCode } from "./exit-code.ts";
import type { Terminal } from "./terminal.ts";

/** What every command is given. */
export interface Context {
  readonly terminal: Terminal;
  /** Aborted by Ctrl-C or a termination signal: commands clean up and end. */
  readonly signal: AbortSignal;
  /** What a second such signal does, instead of ending the process at once. */
  onSecondSignal(action: () => void): void;
  /**
   * For a command that computes without a pause, so that it could never heed `signal`, and has nothing to clean up: from now on
   * a signal ends the process by itself.
   */
  endBySignal(): void;
  /** Sets how the command ends; left alone, it ends with 0. */
  exit(code: ExitCode): void;
}
