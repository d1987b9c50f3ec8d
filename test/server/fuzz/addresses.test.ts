/** Addresses beside the API's, written as nobody should: none is a fault of ours. What schemathesis does not send. */
import { type TestServer, testServer } from "@lanista/server/testing/server";
import { afterAll, beforeAll, expect, it } from "vitest";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server?.close());

const PLACES = [
  "/",
  "/ladders/",
  "/replays/",
  "/courses/",
  "/courses/a/results.csv",
  "/courses/a/b/submissions.zip",
  "/executor/replays/",
  "/api/auth/",
  "/lanista.v1.",
  "/healthz/",
  "/readyz/",
];
const ENDS = [
  "%zz",
  "%00",
  "%",
  "%c3%28",
  "..%2f..%2fetc%2fpasswd",
  "a/b/c/d",
  "%F0%9F%98%80",
  "?%zz=%zz",
  ".html",
  "%0d%0a",
  "\\",
];

it.each(PLACES)("%s", async (place) => {
  const { token } = await server.person(`caller-${PLACES.indexOf(place)}`, { administrator: true });
  for (const end of [...ENDS, "x".repeat(4_000)])
    for (const method of ["GET", "POST", "HEAD", "DELETE", "OPTIONS"])
      for (const headers of [{}, { authorization: `Bearer ${token}` }]) {
        const answer = await fetch(`${server.urls.http}${place}${end}`, { method, headers });
        await answer.arrayBuffer();
        expect({ place, end, method, status: answer.status }).toSatisfy(({ status }) => status < 500);
      }
});
