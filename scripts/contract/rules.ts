/**
 * A field's rules (protovalidate's) as keywords of JSON Schema. A rule that has no translation here is an error, so that
 * none is forgotten.
 */
import { type DescField, getOption, hasOption, type Message } from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import { reflect } from "@bufbuild/protobuf/reflect";
import {
  BytesRulesSchema,
  DoubleRulesSchema,
  EnumRulesSchema,
  type FieldRules,
  field as fieldRules,
  Int32RulesSchema,
  Int64RulesSchema,
  RepeatedRulesSchema,
  StringRulesSchema,
} from "@lanista/api/gen/buf/validate/validate_pb";

export type Schema = { readonly description?: string; readonly [keyword: string]: unknown };

export interface Rules {
  readonly schema: Schema;
  /** Its zero (`""`, 0, nothing) is refused: a request must have it. */
  readonly needed: boolean;
  /** Of each item of a list. */
  readonly items: Rules | null;
  /** Of whole numbers, which JSON Schema cannot bound where they are written as strings. */
  readonly least: bigint | null;
  readonly most: bigint | null;
  /** Enum values by number that are refused. */
  readonly refused: readonly number[];
}

const NONE: Rules = { schema: {}, needed: false, items: null, least: null, most: null, refused: [] };

export function rulesOf(field: DescField): Rules {
  return hasOption(field, fieldRules) ? translate(getOption(field, fieldRules), field.toString()) : NONE;
}

function translate(rules: FieldRules, where: string): Rules {
  if (rules.cel.length > 0 || rules.ignore !== 0) throw new Error(`${where}: cel and ignore have no translation`);
  const own = ofType(rules.type, where);
  return { ...own, needed: own.needed || rules.required };
}

function ofType(type: FieldRules["type"], where: string): Rules {
  switch (type.case) {
    case undefined:
      return NONE;
    case "string": {
      const { value } = type;
      only(StringRulesSchema, value, ["min_len", "max_len", "pattern", "uuid", "email"], where);
      const { minLen, maxLen, pattern, wellKnown } = value;
      const format = wellKnown.case;
      return {
        ...NONE,
        schema: {
          ...(minLen > 0n ? { minLength: Number(minLen) } : {}),
          ...(maxLen > 0n ? { maxLength: Number(maxLen) } : {}),
          ...(pattern === "" ? {} : { pattern }),
          ...(format === undefined ? {} : { format }),
        },
        needed: minLen > 0n || format !== undefined || (pattern !== "" && !new RegExp(pattern, "u").test("")),
      };
    }
    case "bytes": {
      const { value } = type;
      only(BytesRulesSchema, value, ["min_len", "max_len"], where);
      const base64 = (bytes: bigint): number => Math.ceil(Number(bytes) / 3) * 4;
      return {
        ...NONE,
        schema: {
          ...(value.minLen > 0n ? { minLength: base64(value.minLen) } : {}),
          ...(value.maxLen > 0n ? { maxLength: base64(value.maxLen) } : {}),
        },
        needed: value.minLen > 0n,
      };
    }
    case "int32":
    case "double": {
      const { value } = type;
      only(type.case === "int32" ? Int32RulesSchema : DoubleRulesSchema, value, ["gte", "lte", "finite"], where);
      const { greaterThan, lessThan } = value;
      return {
        ...NONE,
        schema: {
          ...(greaterThan.case === "gte" ? { minimum: greaterThan.value } : {}),
          ...(lessThan.case === "lte" ? { maximum: lessThan.value } : {}),
        },
        needed: greaterThan.case === "gte" && greaterThan.value > 0,
      };
    }
    case "int64": {
      const { value } = type;
      only(Int64RulesSchema, value, ["gte", "lte"], where);
      const least = value.greaterThan.case === "gte" ? value.greaterThan.value : null;
      const most = value.lessThan.case === "lte" ? value.lessThan.value : null;
      return { ...NONE, least, most, needed: least !== null && least > 0n };
    }
    case "enum": {
      const { value } = type;
      only(EnumRulesSchema, value, ["defined_only", "not_in"], where);
      return { ...NONE, refused: value.notIn, needed: value.notIn.includes(0) };
    }
    case "repeated": {
      const { value } = type;
      only(RepeatedRulesSchema, value, ["min_items", "max_items", "items"], where);
      const { minItems, maxItems, items } = value;
      return {
        ...NONE,
        schema: {
          ...(minItems > 0n ? { minItems: Number(minItems) } : {}),
          ...(maxItems > 0n ? { maxItems: Number(maxItems) } : {}),
        },
        needed: minItems > 0n,
        items: items === undefined ? null : translate(items, where),
      };
    }
    default:
      throw new Error(`${where}: rules of ${type.case} have no translation`);
  }
}

function only<M extends Message>(schema: GenMessage<M>, value: M, known: readonly string[], where: string): void {
  const mirror = reflect(schema, value);
  for (const field of schema.fields)
    if (mirror.isSet(field) && !known.includes(field.name))
      throw new Error(`${where}: the rule ${field.name} has no translation`);
}
