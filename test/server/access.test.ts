/**
 * The table of all calls × roles, generated from the protos: every method of every service, called by every kind of caller,
 * about objects that are one participant's of space A. A method that has no request in access/requests.ts, or carries no
 * Access option, fails here.
 */
import { hasOption } from "@bufbuild/protobuf";
import { SERVICES } from "@lanista/api/client";
import { access } from "@lanista/api/gen/lanista/v1/access_pb";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { asExpected, CALLERS, expected } from "./access/expected.ts";
import { REQUESTS } from "./access/requests.ts";
import { makeWorld, type World } from "./access/world.ts";

let world: World;
beforeAll(async () => {
  world = await makeWorld();
});
afterAll(() => world.close());

const methods = Object.values(SERVICES).flatMap((service) => service.methods.map((method) => ({ service, method })));

test("each method has an Access option and a request in the fixture, and there are no more", () => {
  const names = methods.map(({ method }) => `${method.parent.name}/${method.name}`);
  expect(Object.keys(REQUESTS).sort()).toEqual(names.sort());
  expect(methods.filter(({ method }) => !hasOption(method, access)).map(({ method }) => method.name)).toEqual([]);
});

test("each kind of caller is there", () => {
  expect([...world.callers.keys()]).toEqual(Object.keys(CALLERS));
});

describe("who may call what", () => {
  test.each(methods.map(({ service, method }) => ({ name: `${service.name}/${method.name}`, service, method })))(
    "$name",
    async ({ name, service, method }) => {
      const table: Record<string, string> = {};
      const wanted: Record<string, string> = {};
      // Those that must be refused first: they must have changed nothing that the others need.
      const order = [...world.callers.keys()].sort(
        (one, two) => Number(expected(method, one) === "passes") - Number(expected(method, two) === "passes"),
      );
      for (const caller of order) {
        const request = await REQUESTS[name]?.(world, caller);
        wanted[caller] = expected(method, caller);
        table[caller] = asExpected(
          (await world.callers.get(caller)?.call(service, method, request)) ?? "no such caller",
        );
      }
      expect(table).toEqual(wanted);
    },
  );
});
