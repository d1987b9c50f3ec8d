import { describe, expect, test } from "vitest";
import { limitsOf, rootOf, timesOf } from "./limits.ts";
import { parseLimits } from "./limits-file.ts";

const limits = (text: string, tier = "container") => limitsOf(parseLimits(text, "limits.yaml"), tier);
const resources = (keys: string) => limits(`resource_limits: {${keys}}`);

describe("what the lines become", () => {
  test("bounds of a box", () => {
    expect(resources("cpu_count: 2, cpu_quota: 50000").box.cpus).toBe(0.5);
    expect(resources("cpu_count: 2, cpu_quota: 50000, cpu_period: 10000").box.cpus).toBe(2);
    expect(resources("cpu_count: 2, cpu_quota: -1").box.cpus).toBe(2);
    expect(resources("memory_limit: 64m, pids_limit: 7").box).toEqual({ cpus: 1, memoryBytes: 2 ** 26, pids: 7 });
  });

  test.each([
    ["resource_limits: {memory_swap: -1}", "memory_swap"],
    ["resource_limits: {memory_swap: 1g}", "memory_swap"],
    ["resource_limits: {network_disabled: false}", "network_disabled"],
    ["sandbox: {use_docker: false}", "use_docker"],
    ["sandbox: {docker_image: 'python:3.10-slim'}", "docker_image"],
    ["sandbox: {read_only_root: false}", "read_only_root"],
    ["sandbox: {drop_capabilities: false}", "drop_capabilities"],
    ["sandbox: {no_new_privileges: false}", "no_new_privileges"],
  ])("%s is satisfied more strictly, and that is said", (text, key) => {
    expect(limits(text).notes).toHaveLength(1);
    expect(limits(text).notes[0]).toContain(key);
  });

  test("the defaults leave nothing to say; the image is for the tier docker", () => {
    expect(limits("").notes).toEqual([]);
    const image = "sandbox: {docker_image: 'python:3.10-slim'}";
    expect(limits(image, "docker").notes).toEqual([]);
    // The tier of a match may be another than the server's own.
    for (const own of ["docker", "container"]) {
      expect(rootOf(limits(image, own), "docker")).toBe("python:3.10-slim");
      expect(rootOf(limits(image, own), "container")).toBe("");
    }
  });
});

describe("a match's times", () => {
  test("the caller's timeout, at most the file's; none is the file's", () => {
    const file = resources("match_timeout_sec: 100");
    expect([0, 50, 100, 1000].map((asked) => timesOf(file, asked, 2).matchSeconds)).toEqual([100, 50, 100, 100]);
  });

  test.each([
    [1, 2],
    [3, 2],
    [10, 1],
    [60, 2],
    [300, 2],
    [300, 4],
    [86_400, 2],
  ])("of %i seconds for %i seats, agents that never answer are guilty before the match is over", (asked, seats) => {
    const times = timesOf(resources("match_timeout_sec: 86400"), asked, seats);
    expect(times.forfeitTimeouts).toBeGreaterThanOrEqual(1);
    const hung = times.startSeconds + seats * times.forfeitTimeouts * times.actSeconds;
    expect(hung).toBeLessThanOrEqual(0.75 * times.matchSeconds + 1e-9);
    expect(times.actSeconds).toBeLessThanOrEqual(5);
    expect(times.startSeconds).toBeLessThanOrEqual(30);
  });
});
