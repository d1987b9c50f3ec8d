/**
 * The command's streams. Results go to standard output, everything else (progress, warnings, errors) to standard
 * error, so that with --json standard output holds exactly one document.
 */
import { styleText } from "node:util";

export type Style = Parameters<typeof styleText>[0];

export interface OutputStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface Terminal {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** What a question is answered at, where somebody sits there; else what `--password-stdin` reads. */
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Colour only on a terminal, and not where NO_COLOR is set to anything (https://no-color.org). */
export function wantsColour(terminal: Terminal, stream: OutputStream): boolean {
  return stream.isTTY === true && !terminal.environment.NO_COLOR && terminal.environment.TERM !== "dumb";
}

export type Paint = (style: Style, text: string) => string;

/** A painter for one stream: leaves the text as it is where colour is not wanted. */
export function painter(terminal: Terminal, stream: OutputStream): Paint {
  if (!wantsColour(terminal, stream)) return (_style, text) => text;
  return (style, text) => styleText(style, text, { validateStream: false });
}

/** Agents' names, details and logs are data of strangers: without control characters they cannot drive the terminal. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to replace
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, "\u{fffd}");
}

/** The same on one line, so that a stranger's text cannot pass for a line of ours. */
export function oneLine(text: string): string {
  return printable(text).replace(/[\n\t]/g, " ");
}

export function writeJson(terminal: Terminal, document: unknown): void {
  terminal.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
}

export function writeLine(terminal: Terminal, text = ""): void {
  terminal.stdout.write(`${text}\n`);
}

export function note(terminal: Terminal, text: string): void {
  terminal.stderr.write(`${text}\n`);
}
