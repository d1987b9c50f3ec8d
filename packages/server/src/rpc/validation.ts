/** Every request against the rules in its schema, before a handler sees it. */
import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { pathToString } from "@bufbuild/protobuf/reflect";
import { createValidator, type Validator } from "@bufbuild/protovalidate";
import { LanistaError } from "@lanista/api/errors";

export function createRequestCheck(): <D extends DescMessage>(schema: D, message: MessageShape<D>) => void {
  const validator: Validator = createValidator();
  return (schema, message) => {
    const result = validator.validate(schema, message);
    if (result.kind === "valid") return;
    if (result.kind === "error") throw result.error;
    const [first] = result.violations;
    const field = first === undefined ? "" : pathToString(first.field);
    throw new LanistaError("invalid", `${field}${field === "" ? "" : ": "}${first?.message ?? "is not valid"}`, {
      field,
    });
  };
}
