import { expect, test } from "vitest";
import { runCommand } from "../testing.ts";

test("config print shows where each value comes from", async () => {
  const { code, stdout } = await runCommand("config", "print", "--http-port", "8000", "--json");
  expect(code).toBe(0);
  const shown = JSON.parse(stdout) as { key: string }[];
  expect(shown.find(({ key }) => key === "http.port")).toMatchObject({
    value: 8000,
    from: "flag",
    place: "--http-port",
  });
  expect(shown.find(({ key }) => key === "grpc.port")).toMatchObject({ value: 50051, from: "default" });
  const people = await runCommand("config", "print", "--executor-allow-hosts", "a.example, b.example");
  expect(people.stdout).toMatch(/^executor.allowHosts +a.example, b.example +--executor-allow-hosts$/m);
});

test("a setting that cannot be is refused as bad usage, with its place", async () => {
  const { code, stderr } = await runCommand("config", "print", "--http-port", "80000");
  expect(code).toBe(2);
  expect(stderr).toMatch(/^lanista: --http-port: http.port: .*65535/);
  expect(stderr).not.toMatch(/ at /);
});
