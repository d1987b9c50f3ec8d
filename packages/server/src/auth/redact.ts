/** What of a request may stand in the audit log: no secret, and no bytes. */
import type { DescMessage, JsonValue } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";

const SECRETS = /secret|password|code$|^token$/i;
const LONG = 500;

/** `value` is the JSON form of a message of this schema. */
export function redact(schema: DescMessage, value: JsonValue): JsonValue {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  const shown: Record<string, JsonValue> = {};
  for (const field of schema.fields) {
    const given = value[field.jsonName];
    if (given === undefined) continue;
    if (SECRETS.test(field.name)) shown[field.jsonName] = "(secret)";
    else if (field.fieldKind === "scalar" && field.scalar === ScalarType.BYTES)
      shown[field.jsonName] = `(${String(given).length} characters of base64)`;
    else if (field.fieldKind === "message") shown[field.jsonName] = redact(field.message, given);
    else if (typeof given === "string" && given.length > LONG) shown[field.jsonName] = `${given.slice(0, LONG)}…`;
    else shown[field.jsonName] = given;
  }
  return shown;
}
