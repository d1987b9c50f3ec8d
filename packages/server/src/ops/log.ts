/** The log: one JSON object a line on standard error, or lines for people. */
import { Writable } from "node:stream";
import { type Logger, pino } from "pino";
import type { ServerConfig } from "../config/config.ts";

/** What must not be in a log however it comes there. */
const REDACTED = ["*.password", "*.secret", "*.token", "*.authorization", "*.cookie", "headers.authorization"];

export function createLog({ log }: Pick<ServerConfig, "log">, to: NodeJS.WritableStream = process.stderr): Logger {
  const options = { level: log.level, redact: REDACTED, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  return pino(options, log.pretty ? forPeople(to) : to);
}

const LEVELS: Readonly<Record<number, string>> = {
  10: "trace",
  20: "debug",
  30: "info",
  40: "WARN",
  50: "ERROR",
  60: "FATAL",
};

function forPeople(to: NodeJS.WritableStream): Writable {
  return new Writable({
    write(chunk, _encoding, done) {
      for (const line of String(chunk).split("\n").filter(Boolean)) to.write(`${readable(line)}\n`);
      done();
    },
  });
}

function readable(line: string): string {
  const { level, time, msg, err, ...rest } = JSON.parse(line) as Record<string, unknown>;
  const words = Object.entries(rest).map(
    ([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  const stack = (err as { stack?: unknown } | undefined)?.stack;
  return [
    `${String(time).slice(11, 23)} ${LEVELS[Number(level)] ?? String(level)} ${String(msg ?? "")}`,
    ...words,
    ...(typeof stack === "string" ? [`\n${stack}`] : []),
  ].join(" ");
}
