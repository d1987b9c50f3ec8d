/**
 * Writes the reference part of docs/api.md: every service and method with its comment, fields, access and errors, from the
 * protos. With --check nothing is written, and the status is 1 if the page is not what would be written.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { DescEnum, DescField, DescMessage, DescMethod, DescService } from "@bufbuild/protobuf";
import { accessText } from "./contract/access.ts";
import { ERRORS, ownErrors } from "./contract/errors.ts";
import { accessOf, commentOf, loadContract, reachable, shortName, streams } from "./contract/load.ts";
import { rulesText, typeText } from "./contract/words.ts";
import { writeOrCheck } from "./contract/written.ts";

const page = join(import.meta.dirname, "..", "docs", "api.md");
const MARK = "<!-- Below this line the page is generated: npm run docs -->";

const { services } = loadContract();
const methods = services.flatMap((service) => service.methods);
const ends = new Set(methods.flatMap(({ input, output }) => [input, output]));
const shared = [...reachable([...ends])].filter((message) => !ends.has(message));

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

function fieldRow(field: DescField): string {
  const alternative = field.oneof === undefined ? "" : `One of \`${field.oneof.name}\`.`;
  const words = [commentOf(field), alternative, rulesText(field)].filter((text) => text !== "").join(" ");
  return `| \`${field.jsonName}\` | ${typeText(field)} | ${cell(words)} |`;
}

function fields(message: DescMessage, title: string): string {
  if (message.fields.length === 0) return `${title}: empty.`;
  return [`| ${title} | type | |`, "|---|---|---|", ...message.fields.map(fieldRow)].join("\n");
}

function methodText(method: DescMethod): string {
  const { mutation } = accessOf(method);
  const errors = ownErrors(method).map((code) => `\`${code}\``);
  const facts = [
    `- Who: ${accessText(method)}.`,
    ...(mutation ? ["- Changes something: takes an `Idempotency-Key`, and is written into the audit log."] : []),
    ...(streams(method) ? ["- Answers in a stream."] : []),
    ...(errors.length > 0 ? [`- May be refused with ${errors.join(", ")}.`] : []),
  ].join("\n");
  return [
    `### ${method.parent.name}.${method.name}`,
    `\`POST /${method.parent.typeName}/${method.name}\``,
    ...(commentOf(method) === "" ? [] : [commentOf(method)]),
    facts,
    fields(method.input, "request"),
    fields(method.output, "answer"),
  ].join("\n\n");
}

function serviceText(service: DescService): string {
  return [`## ${service.name}`, commentOf(service), ...service.methods.map(methodText)].join("\n\n");
}

function messageText(message: DescMessage): string {
  const comment = commentOf(message);
  return [`### ${shortName(message)}`, ...(comment === "" ? [] : [comment]), fields(message, "field")].join("\n\n");
}

function enumText(desc: DescEnum): string {
  const comment = commentOf(desc);
  const values = desc.values.map((value) => `- \`${value.name}\`${commentOf(value) && `: ${commentOf(value)}`}`);
  return [`### ${shortName(desc)}`, ...(comment === "" ? [] : [comment]), values.join("\n")].join("\n\n");
}

function enums(): readonly DescEnum[] {
  const found = new Set<DescEnum>();
  for (const message of [...ends, ...shared]) for (const { enum: desc } of message.fields) if (desc) found.add(desc);
  return [...found];
}

const byName = <D extends DescMessage | DescEnum>(all: readonly D[]): D[] =>
  all.toSorted((a, b) => (shortName(a) < shortName(b) ? -1 : 1));

const text = [
  "## Error codes",
  "| code | RPC | HTTP |\n|---|---|---|\n" +
    ERRORS.map(({ code, rpc, status }) => `| \`${code}\` | \`${rpc}\` | ${status} |`).join("\n"),
  ...services.map(serviceText),
  "## Messages",
  ...byName(shared).map(messageText),
  "## Enums",
  ...byName(enums()).map(enumText),
].join("\n\n");

const before = readFileSync(page, "utf8");
const at = before.indexOf(MARK);
if (at < 0) throw new Error(`docs/api.md must have the line ${MARK}`);
writeOrCheck(page, `${before.slice(0, at + MARK.length)}\n\n${text}\n`);
