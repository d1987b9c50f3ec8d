import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { expect, test } from "vitest";
import { settleRequestId, TrustedProxies } from "./request-context.ts";
import { sameSite } from "./same-site.ts";

function request(remote: string, headers: Record<string, string>): IncomingMessage {
  const socket = new Socket();
  Object.defineProperty(socket, "remoteAddress", { value: remote });
  const message = new IncomingMessage(socket);
  message.headers = headers;
  return message;
}

test.each([
  ["no proxy is trusted: what it says is not believed", [], "203.0.113.9", "1.2.3.4", "203.0.113.9"],
  ["a trusted one's word", ["10.0.0.0/8"], "10.1.2.3", "1.2.3.4", "1.2.3.4"],
  [
    "the last that is no proxy, not what the client wrote before it",
    ["10.0.0.0/8"],
    "10.1.2.3",
    "6.6.6.6, 1.2.3.4",
    "1.2.3.4",
  ],
  ["two proxies in a row", ["10.0.0.0/8", "192.0.2.7"], "10.1.2.3", "1.2.3.4, 192.0.2.7", "1.2.3.4"],
  ["garbage ends the chain", ["10.0.0.0/8"], "10.1.2.3", "<script>", "10.1.2.3"],
  ["IPv4 in IPv6's clothes", ["10.0.0.0/8"], "::ffff:10.1.2.3", "1.2.3.4", "1.2.3.4"],
  ["no header", ["10.0.0.0/8"], "10.1.2.3", "", "10.1.2.3"],
])("the client's address: %s", (_name, trusted, remote, forwarded, expected) => {
  const headers: Record<string, string> = forwarded === "" ? {} : { "x-forwarded-for": forwarded };
  expect(new TrustedProxies(trusted).clientOf(request(remote, headers))).toBe(expected);
});

test("a sane request id is kept, another one replaced", () => {
  expect(settleRequestId(request("::1", { "x-request-id": "abc-123-xyz" }))).toBe("abc-123-xyz");
  for (const bad of ["", "short", "a b c d e f g h", "x".repeat(101), "evil\nline-break"]) {
    const message = request("::1", { "x-request-id": bad });
    const id = settleRequestId(message);
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(message.headers["x-request-id"]).toBe(id);
  }
});

test.each([
  [{ "sec-fetch-site": "same-origin" }, "", true],
  [{ "sec-fetch-site": "none" }, "", true],
  [{ "sec-fetch-site": "same-site" }, "", false],
  [{ "sec-fetch-site": "cross-site", origin: "https://a.example" }, "https://a.example", false],
  [{ origin: "https://a.example" }, "https://a.example/", true],
  [{ origin: "http://localhost:8080", host: "localhost:8080" }, "", true],
  [{ origin: "http://localhost:8081", host: "localhost:8080" }, "", false],
  [{ origin: "null", host: "null" }, "", false],
  [{}, "", false],
])("same site: %j with the public URL %j: %j", (headers, publicUrl, expected) => {
  expect(sameSite(new Headers(headers as Record<string, string>), publicUrl)).toBe(expected);
});
