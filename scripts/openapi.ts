/**
 * Writes docs/openapi.json: OpenAPI 3.1 of the API's HTTP+JSON form, from the protos with their comments, their rules of
 * validation and their access options. With --check nothing is written, and the status is 1 if the file is not what
 * would be written. Streams are no plain HTTP: they are named in their services' descriptions only.
 */
import { join } from "node:path";
import type { DescEnum, DescMethod, DescService } from "@bufbuild/protobuf";
import { ENGINE_VERSION } from "@lanista/arena/version";
import { accessText } from "./contract/access.ts";
import { ERRORS, statusesOf } from "./contract/errors.ts";
import { accessOf, commentOf, loadContract, reachable, shortName, streams } from "./contract/load.ts";
import type { Schema } from "./contract/rules.ts";
import { enumSchema, messageSchema } from "./contract/schema.ts";
import { writeOrCheck } from "./contract/written.ts";

const { services } = loadContract();
const calls = services.flatMap((service) => service.methods.filter((method) => !streams(method)));

const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
const json = (schema: Schema): Schema => ({ "application/json": { schema } });

function schemas(): Schema {
  const asked = reachable(calls.map(({ input }) => input));
  const answered = reachable(calls.map(({ output }) => output));
  const messages = new Set([...asked, ...answered]);
  const enums = new Set<DescEnum>();
  for (const message of messages) for (const { enum: desc } of message.fields) if (desc !== undefined) enums.add(desc);
  const entries = [
    ...[...messages].map((message): [string, Schema] => [
      shortName(message),
      messageSchema(message, { request: asked.has(message), response: answered.has(message) }),
    ]),
    ...[...enums].map((desc): [string, Schema] => [shortName(desc), enumSchema(desc)]),
    ["Error", ERROR] as [string, Schema],
  ];
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

const LIMITS: Schema = Object.fromEntries(
  ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"].map((name) => [
    name,
    { $ref: `#/components/headers/${name}` },
  ]),
);

const ERROR: Schema = {
  description: "What every refused or failed call is answered with.",
  type: "object",
  properties: {
    code: { description: "Connect's code, such as `invalid_argument`.", type: "string" },
    message: { description: "A sentence for people.", type: "string" },
    details: {
      description: "Absent where the request could not be read at all.",
      type: "array",
      items: {
        type: "object",
        properties: {
          type: { const: "lanista.v1.ErrorDetail" },
          value: { description: "The detail in protobuf's binary form.", type: "string" },
          debug: {
            description: "The same, readable.",
            type: "object",
            properties: {
              code: { description: "Lanista's code: one of a closed set, such as `quota_exceeded`.", type: "string" },
              hint: { description: "What to do about it.", type: "string" },
              field: { description: "The request's field at fault.", type: "string" },
              requestId: { description: "As in the server's log.", type: "string" },
            },
            required: ["code", "hint", "field", "requestId"],
          },
        },
        required: ["type", "value", "debug"],
      },
    },
  },
  required: ["code", "message"],
};

function operation(method: DescMethod): Schema {
  const access = accessOf(method);
  const { scopes, spaceRole, own, mutation } = access;
  const errors = [...statusesOf(method).keys()].map((status) => [
    String(status),
    { $ref: `#/components/responses/Error${status}` },
  ]);
  return {
    operationId: `${method.parent.name}_${method.name}`,
    tags: [method.parent.name],
    summary: method.name,
    description: [commentOf(method), `Who may call it: ${accessText(method)}.`]
      .filter((text) => text !== "")
      .join("\n\n"),
    security: access.public ? [] : [{ token: [] }, { session: [] }],
    "x-lanista-access": {
      public: access.public,
      scopes: scopes.map((scope) => SCOPE_WORDS[scope]),
      spaceRole: ROLE_WORDS[spaceRole],
      own,
    },
    ...(mutation ? { parameters: [{ $ref: "#/components/parameters/IdempotencyKey" }] } : {}),
    requestBody: { required: true, content: json(ref(shortName(method.input))) },
    responses: {
      "200": { description: "Done.", headers: LIMITS, content: json(ref(shortName(method.output))) },
      ...Object.fromEntries(errors),
      "415": { $ref: "#/components/responses/WrongType" },
    },
  };
}

const SCOPE_WORDS = ["", "participant", "organiser", "administrator", "worker", "executor"] as const;
const ROLE_WORDS = ["", "participant", "organiser", "guest", "assistant", "administrator"] as const;

function headers(): Schema {
  const whole = (description: string): Schema => ({ description, schema: { type: "string", pattern: "^[0-9]+$" } });
  return {
    "ratelimit-limit": whole("Calls a minute. Machines' tokens are not counted."),
    "ratelimit-remaining": whole("Calls left in this minute."),
    "ratelimit-reset": whole("Seconds until the count begins anew."),
    "retry-after": whole("Seconds to wait."),
  };
}

function responses(): Schema {
  const statuses = [...new Set(ERRORS.map(({ status }) => status))].toSorted((a, b) => a - b);
  const errors = statuses.map((status): [string, Schema] => {
    const rows = ERRORS.filter((row) => row.status === status);
    const codes = rows.map(({ code, rpc }) => `\`${code}\` (${rpc})`).join(", ");
    return [`Error${status}`, { description: codes, content: json(ref("Error")) }];
  });
  return {
    ...Object.fromEntries(errors),
    WrongType: { description: "The body's type is none that is read here. The answer is empty." },
  };
}

function tag(service: DescService): Schema {
  const streaming = service.methods.filter(streams);
  const also =
    streaming.length === 0
      ? ""
      : ` Not here because they answer in streams: ${streaming.map(({ name }) => name).join(", ")}.`;
  return { name: service.name, description: `${commentOf(service)}${also}` };
}

const document = {
  openapi: "3.1.0",
  info: {
    title: "Lanista",
    version: ENGINE_VERSION,
    license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    description:
      "The API in its HTTP+JSON form: every call is a POST of a JSON document, as the Connect protocol has it. Fields " +
      "may be left out or null where they are not required. Beyond what the schemas say, protobuf's JSON takes fields " +
      "by their proto names, numbers as strings and enums by number. See docs/api.md.",
  },
  servers: [{ url: "http://localhost:8080" }],
  tags: services.map(tag),
  paths: Object.fromEntries(
    calls.map((method) => [`/${method.parent.typeName}/${method.name}`, { post: operation(method) }]),
  ),
  components: {
    securitySchemes: {
      token: { type: "http", scheme: "bearer", description: "A token of CreateToken's or an administrator's." },
      session: {
        type: "apiKey",
        in: "cookie",
        name: "better-auth.session_token",
        description: "A session of /api/auth, for pages of this server only.",
      },
    },
    parameters: {
      IdempotencyKey: {
        name: "Idempotency-Key",
        in: "header",
        description: "Drawn by the caller: the same request again under the same key changes nothing twice.",
        schema: { type: "string", pattern: "^[!-~]{1,128}$" },
      },
    },
    headers: headers(),
    responses: responses(),
    schemas: schemas(),
  },
};

writeOrCheck(join(import.meta.dirname, "..", "docs", "openapi.json"), `${JSON.stringify(document, null, 2)}\n`);
