/** For tests: a log whose lines can be read. */
import { Writable } from "node:stream";
import { type Logger, pino } from "pino";

export type LogLine = Readonly<Record<string, unknown>>;

export function logLines(): { readonly log: Logger; readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const to = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)) as LogLine);
      done();
    },
  });
  return { log: pino({ level: "debug", base: null }, to), lines };
}
