/** A field's type and rules in words, for the reference page. */
import { type DescField, type DescMessage, getOption, hasOption, ScalarType } from "@bufbuild/protobuf";
import { oneof as oneofRules } from "@lanista/api/gen/buf/validate/validate_pb";
import { shortName } from "./load.ts";
import { type Rules, rulesOf } from "./rules.ts";
import { boundsText } from "./schema.ts";

/** With links to the page's own sections. */
export function typeText(field: DescField): string {
  const many = field.fieldKind === "list" ? "[]" : "";
  return `${single(field)}${many}`;
}

function single(field: DescField): string {
  if (field.message !== undefined)
    return field.message.typeName === "google.protobuf.Timestamp" ? "time (RFC 3339)" : link(field.message);
  if (field.enum !== undefined) return link(field.enum);
  switch (field.scalar) {
    case ScalarType.BYTES:
      return "bytes (base64)";
    case ScalarType.INT64:
      return "int64 (as a string)";
    default:
      return field.scalar === undefined ? "" : (ScalarType[field.scalar] ?? "").toLowerCase();
  }
}

function link(desc: DescMessage | NonNullable<DescField["enum"]>): string {
  const name = shortName(desc);
  return `[${name}](#${name.toLowerCase().replaceAll(".", "")})`;
}

/** Sentences; empty where there is no rule. */
export function rulesText(field: DescField): string {
  const rules = rulesOf(field);
  const must =
    field.oneof !== undefined && hasOption(field.oneof, oneofRules) && getOption(field.oneof, oneofRules).required;
  return [
    rules.needed ? "Required." : must ? "One of them is required." : "",
    bounds(rules, field.scalar === ScalarType.BYTES),
    rules.items === null ? "" : each(bounds(rules.items)),
  ]
    .filter((text) => text !== "")
    .join(" ");
}

const each = (text: string): string => (text === "" ? "" : `Each: ${text}`);

function bounds({ schema, least, most, refused }: Rules, bytes = false): string {
  const { format, pattern, minLength, maxLength, minItems, maxItems, minimum, maximum } = schema;
  const number = (value: unknown): number | null => (typeof value === "number" ? value : null);
  return [
    typeof format === "string" ? (format === "uuid" ? "A UUID." : "An e-mail address.") : "",
    typeof pattern === "string" ? `Matches \`${pattern}\`.` : "",
    sized(bytes ? "characters of base64" : "characters", number(minLength), number(maxLength)),
    sized("items", number(minItems), number(maxItems)),
    boundsText(number(minimum), number(maximum)),
    boundsText(least, most),
    refused.includes(0) ? "Not the unspecified one." : "",
  ]
    .filter((text) => text !== "")
    .join(" ");
}

function sized(what: string, least: number | null, most: number | null): string {
  const text = boundsText(least, most);
  return text === "" ? "" : `${text.slice(0, -1)} ${what}.`;
}
