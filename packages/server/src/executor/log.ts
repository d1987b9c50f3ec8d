/** The executor's log, as a limits.yaml's section `logging` wants it. */
import { Writable } from "node:stream";
import { type Logger, pino } from "pino";
import type { LimitsFile } from "./limits-schema.ts";

const LEVELS = { DEBUG: "debug", INFO: "info", WARNING: "warn", ERROR: "error", CRITICAL: "fatal" } as const;
const NAMES: Readonly<Record<number, string>> = {
  20: "DEBUG",
  30: "INFO",
  40: "WARNING",
  50: "ERROR",
  60: "CRITICAL",
};

/** `server`: the server's own log, which is used where the file says nothing. A file's folder must be there. */
export function executorLog(server: Logger, logging: LimitsFile["logging"]): Logger {
  if (logging === null) return server.child({ part: "executor" });
  const { level, format, output } = logging;
  const to =
    output === "stdout"
      ? process.stdout
      : output === "stderr"
        ? process.stderr
        : pino.destination({ dest: output, append: true, sync: true });
  return pino(
    { level: LEVELS[level], base: { part: "executor" }, timestamp: pino.stdTimeFunctions.isoTime },
    format === "json" ? to : asText(to),
  );
}

/** Lines as Python's logging writes them: time, name, level, message. */
function asText(to: { write(text: string): unknown }): Writable {
  return new Writable({
    write(chunk, _encoding, done) {
      for (const line of String(chunk).split("\n").filter(Boolean)) to.write(`${lineOf(line)}\n`);
      done();
    },
  });
}

function lineOf(json: string): string {
  const { level, time, msg, part, ...rest } = JSON.parse(json) as Record<string, unknown>;
  const words = Object.entries(rest).map(([key, value]) => ` ${key}=${JSON.stringify(value)}`);
  return `${String(time)} - ${String(part)} - ${NAMES[Number(level)] ?? String(level)} - ${String(msg ?? "")}${words.join("")}`;
}
