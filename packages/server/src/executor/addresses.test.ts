import { describe, expect, test } from "vitest";
import { allowedAddresses, isListed, mayConnect } from "./addresses.ts";

describe("addresses", () => {
  test.each(["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1"])(
    "%s is somebody's on the internet",
    (address) => {
      expect(mayConnect(address, false)).toBe(true);
    },
  );

  test.each([
    "127.0.0.1",
    "127.255.255.254",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "::1",
    "fc00::1",
    "fd12:3456::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
  ])("%s is a private one: only where that is allowed", (address) => {
    expect(mayConnect(address, false)).toBe(false);
    expect(mayConnect(address, true)).toBe(true);
  });

  test.each([
    "169.254.169.254", // a cloud's metadata
    "fe80::1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe", // NAT64 of it
    "2002:a9fe:a9fe::", // 6to4 of it
    "64:ff9b::7f00:1",
    "::a9fe:a9fe",
    "::169.254.169.254",
    "2001::1",
    "0.0.0.0",
    "::",
    "224.0.0.1",
    "ff02::1",
    "255.255.255.255",
    "240.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "fec0::1",
    "no address",
    "",
  ])("%s is never connected to", (address) => {
    expect(mayConnect(address, false)).toBe(false);
    expect(mayConnect(address, true)).toBe(false);
  });
});

test.each([
  ["http://example.org/a", ["example.org"], true],
  ["http://EXAMPLE.org./a", ["example.org"], true],
  ["http://example.org:8000/a", ["example.org"], true],
  ["http://example.org:8000/a", ["example.org:8000"], true],
  ["http://example.org/a", ["example.org:8000"], false],
  ["https://example.org/a", ["example.org:443"], true],
  ["http://a.example.org/", ["*.example.org"], true],
  ["http://example.org/", ["*.example.org"], false],
  ["http://badexample.org/", ["*.example.org"], false],
  ["http://example.org.evil.net/", ["example.org"], false],
  ["http://example.org@evil.net/", ["example.org"], false],
  ["http://anything/", ["*"], true],
  ["http://anything/", [], false],
])("%s against %j: %s", (url, list, listed) => {
  expect(isListed(new URL(url), list)).toBe(listed);
});

describe("a URL's addresses", () => {
  const rules = { allowHosts: ["*"], allowPrivate: false };
  const at =
    (...addresses: string[]) =>
    async () =>
      addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));

  test("are those its name has", async () => {
    const found = await allowedAddresses(new URL("http://example.org/"), {
      ...rules,
      resolve: at("1.1.1.1", "2606:4700::1111"),
    });
    expect(found).toEqual([
      { address: "1.1.1.1", family: 4 },
      { address: "2606:4700::1111", family: 6 },
    ]);
  });

  test.each([
    ["one of them is private", "http://example.org/", at("1.1.1.1", "10.0.0.1")],
    ["the name means this host", "http://localhost/", at("127.0.0.1")],
    ["there is none", "http://example.org/", at()],
    ["it is written as a number", "http://2130706433/", at("1.1.1.1")],
    ["it is written in hexadecimal", "http://0x7f000001/", at("1.1.1.1")],
    ["it is written in octal", "http://0177.0.0.1/", at("1.1.1.1")],
    ["it is written in wide digits", "http://①②⑦.0.0.1/", at("1.1.1.1")],
    ["it is an IPv4 address in IPv6", "http://[::ffff:7f00:1]/", at("1.1.1.1")],
    ["it is the metadata service", "http://169.254.169.254/latest/", at("1.1.1.1")],
    ["it has a password", "http://me:secret@example.org/", at("1.1.1.1")],
    ["it is another protocol", "ftp://example.org/", at("1.1.1.1")],
    ["it is a file", "file:///etc/passwd", at("1.1.1.1")],
  ])("are refused where %s", async (_, url, resolve) => {
    await expect(allowedAddresses(new URL(url), { ...rules, resolve })).rejects.toMatchObject({ code: "invalid" });
  });

  test("a host that is not listed is not even looked up", async () => {
    let asked = 0;
    const resolve = async () => {
      asked++;
      return [{ address: "1.1.1.1", family: 4 }];
    };
    const listed = { allowHosts: ["example.org"], allowPrivate: false, resolve };
    await expect(allowedAddresses(new URL("http://evil.net/"), listed)).rejects.toThrow("evil.net");
    expect(asked).toBe(0);
  });

  test("a refusal tells no address", async () => {
    await expect(allowedAddresses(new URL("http://inner/"), { ...rules, resolve: at("10.1.2.3") })).rejects.toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("10.1.2.3") }),
    );
  });
});
