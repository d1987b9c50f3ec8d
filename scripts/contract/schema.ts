/** Messages as JSON Schemas (2020-12), in the form that protobuf's JSON has and the server writes. */
import { type DescEnum, type DescField, type DescMessage, getOption, hasOption, ScalarType } from "@bufbuild/protobuf";
import { oneof as oneofRules } from "@lanista/api/gen/buf/validate/validate_pb";
import { commentOf, shortName } from "./load.ts";
import { type Rules, rulesOf, type Schema } from "./rules.ts";

/** Whether a message is sent, received, or both. */
export interface Use {
  readonly request: boolean;
  readonly response: boolean;
}

const reference = (desc: DescMessage | DescEnum): Schema => ({ $ref: `#/components/schemas/${shortName(desc)}` });

export function enumSchema(desc: DescEnum, refused: readonly number[] = []): Schema {
  const values = desc.values.filter((value) => !refused.includes(value.number));
  const notes = values.flatMap((value) => (commentOf(value) === "" ? [] : [`\`${value.name}\`: ${commentOf(value)}`]));
  return {
    ...described([commentOf(desc), ...notes].join("\n\n")),
    type: "string",
    enum: values.map(({ name }) => name),
  };
}

export function messageSchema(desc: DescMessage, use: Use): Schema {
  const properties: Record<string, Schema> = {};
  const required: string[] = [];
  for (const field of desc.fields) {
    const rules = rulesOf(field);
    properties[field.jsonName] = fieldSchema(field, rules);
    // The server writes all that has no presence of its own, be it zero.
    if (field.oneof === undefined && (use.request ? rules.needed : writtenAlways(field))) required.push(field.jsonName);
  }
  const oneofs = desc.oneofs.map((one) => {
    const names = one.fields.map((field) => ({ required: [field.jsonName] }));
    const must = hasOption(one, oneofRules) && getOption(one, oneofRules).required;
    return { oneOf: must ? names : [...names, { not: { anyOf: names } }] };
  });
  return {
    ...described(commentOf(desc)),
    type: "object",
    properties,
    ...(required.length > 0 ? { required } : {}),
    ...(use.request ? { additionalProperties: false } : {}),
    ...(oneofs.length === 1 ? oneofs[0] : oneofs.length > 1 ? { allOf: oneofs } : {}),
  };
}

function writtenAlways(field: DescField): boolean {
  return (field.fieldKind === "scalar" || field.fieldKind === "enum") && field.proto.proto3Optional
    ? false
    : field.fieldKind !== "message";
}

function fieldSchema(field: DescField, rules: Rules): Schema {
  const note = described(commentOf(field));
  switch (field.fieldKind) {
    case "list": {
      const items = rules.items ?? { ...rules, schema: {} };
      return { ...note, type: "array", items: valueSchema(field, items), ...rules.schema };
    }
    case "map":
      throw new Error(`${field.toString()}: maps have no translation`);
    default: {
      const value = valueSchema(field, rules);
      const both = [note.description, value.description].filter((text) => text !== undefined);
      return { ...value, ...described(both.join("\n\n")) };
    }
  }
}

function valueSchema(field: DescField, rules: Rules): Schema {
  if (field.message !== undefined) {
    if (field.message.typeName === "google.protobuf.Timestamp") return { type: "string", format: "date-time" };
    return reference(field.message);
  }
  if (field.enum !== undefined)
    return rules.refused.length > 0 ? enumSchema(field.enum, rules.refused) : reference(field.enum);
  switch (field.scalar) {
    case ScalarType.STRING:
      return { type: "string", ...rules.schema };
    case ScalarType.BOOL:
      return { type: "boolean" };
    case ScalarType.BYTES:
      return { type: "string", format: "byte", contentEncoding: "base64", ...rules.schema };
    case ScalarType.INT32:
      return { type: "integer", format: "int32", ...rules.schema };
    case ScalarType.INT64:
      return wholeNumber(rules);
    case ScalarType.DOUBLE:
      return { type: "number", format: "double", ...rules.schema };
    default:
      throw new Error(`${field.toString()}: this type has no translation`);
  }
}

/** 64 bits do not fit into JavaScript's numbers: written as strings. */
function wholeNumber({ least, most }: Rules): Schema {
  const sign = least !== null && least >= 0n ? "" : "-?";
  const first = least !== null && least > 0n ? "[1-9][0-9]{0,18}" : "(0|[1-9][0-9]{0,18})";
  return {
    ...described(boundsText(least, most)),
    type: "string",
    format: "int64",
    pattern: `^${sign}${first}$`,
  };
}

export function boundsText(least: bigint | number | null, most: bigint | number | null): string {
  if (least !== null && most !== null) return `${least} to ${most}.`;
  if (least !== null) return `At least ${least}.`;
  return most === null ? "" : `At most ${most}.`;
}

function described(text: string): { readonly description?: string } {
  return text === "" ? {} : { description: text };
}
