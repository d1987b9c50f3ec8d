import { expect, it } from "vitest";
import { PackagesError } from "./packages-error.ts";
import { parseRequirements } from "./requirements.ts";

const lines = (text: string): readonly string[] => parseRequirements(text).lines;

it.each([
  ["numpy", ["numpy"]],
  ["NumPy >= 1.20 , <3", ["numpy<3,>=1.20"]],
  ["  numpy==2.1.0  # the newest\r\n\n# gone\nscipy\n", ["numpy==2.1.0", "scipy"]],
  ["zope.interface[Test, docs]~=5.0", ["zope-interface[docs,test]~=5.0"]],
  ["a_b (>=1.0)", ["a-b>=1.0"]],
  ["torch==2.0.1+cpu", ["torch==2.0.1+cpu"]],
  ["numpy==1.* ; python_version  < '3.9'", ["numpy==1.* ; python_version < '3.9'"]],
  [`numpy==2.1.0 \\\n  --hash=sha256:${"a".repeat(64)}`, [`numpy==2.1.0 --hash=sha256:${"a".repeat(64)}`]],
  ["scipy\nnumpy\nnumpy", ["numpy", "scipy"]],
  ["", []],
])("reads %j", (text, expected) => expect(lines(text)).toEqual(expected));

it.each([
  ["-r other.txt", 1],
  ["six\n-c other.txt", 2],
  ["six\n\n-e .", 3],
  ["--editable=.", 1],
  ["--find-links /etc", 1],
  ["--trusted-host evil.example", 1],
  ["--index-url https://evil.example/simple", 1],
  ["--extra-index-url=https://evil.example/simple", 1],
  ["--no-binary /etc", 1],
  ["--global-option=x", 1],
  ["./wheel.whl", 1],
  ["/etc/passwd", 1],
  ["..\\wheel.whl", 1],
  ["file:///etc/passwd", 1],
  ["six @ file:///etc/passwd", 1],
  ["six @ https://evil.example/six.whl", 1],
  ["git+https://evil.example/six", 1],
  ["https://evil.example/six.whl", 1],
  ["six --config-settings=a=b", 1],
  ["six==1 --hash=md5:abc", 1],
  ["six ==", 1],
  ["two words", 1],
  ["six\n\u0000", 2],
  ["six \\\n -r other.txt", 1],
])("refuses %j with its line", (text, line) => {
  expect(() => lines(text)).toThrow(PackagesError);
  expect(() => lines(text)).toThrow(`line ${line}:`);
});

it("bounds size, lines and their length", () => {
  expect(() => lines(`#${"x".repeat(300_000)}`)).toThrow(/longer than/);
  expect(() => lines("six\n".repeat(2500))).toThrow(/2000 lines/);
  expect(() => lines(`six${"x".repeat(20_000)}`)).toThrow(/longer than/);
  expect(lines("six\n".repeat(2000))).toEqual(["six"]);
});

it("takes harmless options for uv, and an index that is configured anyway", () => {
  const text = "--pre\n--prefer-binary\n--no-binary numpy,scipy\n-i https://own.example/simple\nsix";
  expect(parseRequirements(text, { indexes: ["https://own.example/simple/"] })).toEqual({
    lines: ["six"],
    flags: ["--no-binary", "numpy", "--no-binary", "scipy", "--prerelease", "allow"],
  });
});
