/**
 * Writes the reference part of docs/cli.md: the help of every command, as it prints it. With --check nothing is written,
 * and the status is 1 if the page is not what would be written.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { createProgram } from "../packages/cli/src/program.ts";
import { run } from "../packages/cli/src/run.ts";
import type { Terminal } from "../packages/cli/src/terminal.ts";

const page = join(import.meta.dirname, "..", "docs", "cli.md");
const MARK = "<!-- Below this line the page is generated: npm run docs -->";

function terminalInto(write: (text: string) => void): Terminal {
  return { stdin: process.stdin, stdout: { write }, stderr: { write }, environment: {} };
}

async function helpOf(path: readonly string[]): Promise<string> {
  let text = "";
  await run(
    [...path, "--help"],
    terminalInto((part) => (text += part)),
    new AbortController().signal,
  );
  return text.trim();
}

function paths(command: Command, path: readonly string[] = []): (readonly string[])[] {
  const below = command.commands.filter((child) => child.name() !== "help");
  return [path, ...below.flatMap((child) => paths(child, [...path, child.name()]))];
}

const signal = new AbortController().signal;
const program = await createProgram(
  { terminal: terminalInto(() => {}), signal, exit: () => {}, onSecondSignal: () => {}, endBySignal: () => {} },
  [],
);
const sections: string[] = [];
for (const path of paths(program))
  sections.push(`## ${["lanista", ...path].join(" ")}\n\`\`\`text\n${await helpOf(path)}\n\`\`\``);

const before = readFileSync(page, "utf8");
const at = before.indexOf(MARK);
if (at < 0) throw new Error(`docs/cli.md must have the line ${MARK}`);
const after = `${before.slice(0, at + MARK.length)}\n\n${sections.join("\n\n")}\n`;
if (!process.argv.includes("--check")) writeFileSync(page, after);
else if (after !== before) {
  console.error("docs/cli.md is not up to date: run npm run docs");
  process.exitCode = 1;
}
