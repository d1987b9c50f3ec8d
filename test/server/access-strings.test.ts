/**
 * threats.md, "SQL in every string", "path traversal in every id": each string of each request of each method, replaced by
 * each of these, sent by the administrator, whom nothing else stops. It is refused as a value, or taken as nothing but text.
 */
import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";
import { SERVICES } from "@lanista/api/client";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { REQUESTS } from "./access/requests.ts";
import { makeWorld, type World } from "./access/world.ts";

const EVIL = [
  "'; DROP TABLE jobs; --",
  "' OR '1'='1",
  "$1; SELECT pg_sleep(30)",
  "../../../../etc/passwd",
  "..%2f..%2fetc%2fpasswd",
  "/etc/passwd\u0000.zip",
  "\u0000",
  "<script>alert(1)</script>",
  "a\r\nset-cookie: x=y",
  "__proto__",
  "\u202e\u{1f47e}".repeat(40),
  "x".repeat(100_000),
];

let world: World;
beforeAll(async () => {
  world = await makeWorld();
});
afterAll(() => world.close());

/** The paths of all strings in a message, also of messages in it and in lists. */
function* strings(schema: DescMessage, depth = 0): Generator<readonly DescField[]> {
  if (depth > 3) return;
  for (const field of schema.fields) {
    if (field.fieldKind === "scalar" && field.scalar === ScalarType.STRING) yield [field];
    else if (field.fieldKind === "list" && field.listKind === "scalar" && field.scalar === ScalarType.STRING)
      yield [field];
    else if (field.fieldKind === "message" || (field.fieldKind === "list" && field.listKind === "message"))
      for (const below of strings(field.message!, depth + 1)) yield [field, ...below];
  }
}

/** The request with this string in that place; a copy. */
function put(request: unknown, path: readonly DescField[], value: string): Record<string, unknown> {
  const [field, ...rest] = path;
  const given = (request ?? {}) as Record<string, unknown>;
  if (field === undefined) return given;
  const { localName } = field;
  if (field.oneof !== undefined)
    return {
      ...given,
      [field.oneof.localName]: { case: localName, value: rest.length === 0 ? value : put({}, rest, value) },
    };
  const old = given[localName];
  const made =
    rest.length === 0
      ? value
      : put(field.fieldKind === "list" ? (old as unknown[] | undefined)?.[0] : old, rest, value);
  return { ...given, [localName]: field.fieldKind === "list" ? [made] : made };
}

const methods = Object.values(SERVICES).flatMap((service) => service.methods.map((method) => ({ service, method })));

describe("no string does anything but be a string", () => {
  test.each(methods.map(({ service, method }) => ({ name: `${service.name}/${method.name}`, service, method })))(
    "$name",
    async ({ name, service, method }) => {
      const caller = world.callers.get(
        service.name === "WorkerService" && !/List|Drain/.test(method.name) ? "a worker" : "the administrator",
      )!;
      const bad: string[] = [];
      for (const path of strings(method.input))
        for (const value of EVIL) {
          const request = put(await REQUESTS[name]?.(world, "the administrator"), path, value);
          const code = await caller.call(service, method, request);
          if (["internal", "unavailable", "unimplemented", "rate_limited"].includes(code))
            bad.push(`${path.map((field) => field.name).join(".")} = ${JSON.stringify(value.slice(0, 40))}: ${code}`);
        }
      expect(bad).toEqual([]);
    },
    60_000,
  );

  test("and the tables are all there", async () => {
    const { rows } = await sql<{ jobs: number }>`SELECT count(*)::int AS jobs FROM jobs`.execute(
      world.server.database.db,
    );
    expect(rows[0]?.jobs).toBeGreaterThan(0);
    expect((await fetch(`${world.server.urls.http}/readyz`)).status).toBe(200);
  });
});
