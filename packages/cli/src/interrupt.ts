/**
 * Ctrl-C, SIGTERM and SIGHUP ask the command to clean up and end; a second one ends it at once, or does what the command
 * has for that, and then a third one does. Nothing outlives it in any case: sandboxes die with this process, and their
 * folders go at the next start.
 *
 * A handler runs only where the event loop turns. A command that computes without a pause gives the signals back to the
 * system before that: then they end the process, whatever it is doing.
 */
import { constants } from "node:os";
import { EXIT } from "./exit-code.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export interface Interrupt {
  readonly signal: AbortSignal;
  /** What to end with if it was interrupted: 130 for Ctrl-C, 128 + the signal's number for the others. */
  exitCode(): number | undefined;
  /** What a second signal does, instead of ending the process. */
  onSecond(action: () => void): void;
  /** From now on a signal ends the process by itself. Throws the reason if one has come already. */
  giveBack(): void;
  stop(): void;
}

export function listenForInterrupt(tell: (text: string) => void): Interrupt {
  const controller = new AbortController();
  let code: number | undefined;
  let second: (() => void) | undefined;
  const handlers = SIGNALS.map((name) => {
    const handler = (): void => {
      if (code !== undefined) {
        const action = second;
        second = undefined;
        if (action === undefined) process.exit(code);
        action();
        return;
      }
      code = name === "SIGINT" ? EXIT.interrupted : 128 + constants.signals[name];
      tell("Interrupted: cleaning up. Once more to end at once.");
      controller.abort(new Error(`interrupted by ${name}`));
    };
    process.on(name, handler);
    return [name, handler] as const;
  });
  const stop = (): void => {
    for (const [name, handler] of handlers) process.off(name, handler);
  };
  return {
    signal: controller.signal,
    exitCode: () => code,
    onSecond(action) {
      second = action;
    },
    giveBack() {
      controller.signal.throwIfAborted();
      stop();
    },
    stop,
  };
}
