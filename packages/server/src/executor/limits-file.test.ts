import { describe, expect, test } from "vitest";
import { parseLimits } from "./limits-file.ts";
import { limitsSchema } from "./limits-schema.ts";

/** RL Arena's own file, with the one line that its documentation adds. */
const ORIGINAL = `resource_limits:
  cpu_count: 1
  cpu_period: 100000
  cpu_quota: 100000
  memory_limit: "512m"
  memory_swap: "512m"
  step_timeout_sec: 5
  match_timeout_sec: 300
  init_timeout_sec: 30
  pids_limit: 50
  network_disabled: true
  max_steps_per_match: 10000
sandbox:
  use_docker: true
  docker_image: "python:3.10-slim"
  tmp_dir: "/tmp/agent_code"
  replay_dir: "/tmp/replays"
  max_code_size_mb: 50
  read_only_root: true
  drop_capabilities: true
  no_new_privileges: true
validation:
  max_file_size_mb: 10
  allowed_extensions: [".py", ".txt", ".json"]
  forbidden_imports: ["os.system", "subprocess", "eval", "exec", "compile", "__import__"]
  max_lines: 5000
replay:
  format: "json"
  compress: true
  max_frames: 10000
  include_observations: true
  include_actions: true
logging:
  level: "INFO"
  format: "json"
  output: "stdout"
`;

describe("limits.yaml", () => {
  test("the original is read as it is, and says but for folders, image and log what holds without one", () => {
    const original = parseLimits(ORIGINAL, "limits.yaml");
    const empty = parseLimits("", "limits.yaml");
    expect({ ...original, sandbox: empty.sandbox, logging: null }).toEqual(empty);
    expect(original.resource_limits.memory_limit).toBe(512 * 2 ** 20);
    expect(original.sandbox).toMatchObject({ tmp_dir: "/tmp/agent_code", docker_image: "python:3.10-slim" });
    expect(original.logging).toEqual({ level: "INFO", format: "json", output: "stdout" });
  });

  test("every key of the original is known, and no other", () => {
    const shape = (text: string) =>
      Object.entries(parseLimits(text, "x")).map(([section, keys]) => [section, Object.keys(keys ?? {}).sort()]);
    expect(shape(ORIGINAL).map(([section]) => section)).toEqual(Object.keys(limitsSchema.shape));
    expect(shape(ORIGINAL)).toEqual(
      ORIGINAL.split(/^(?=\w)/m).map((part) => {
        const [section = "", ...keys] = [...part.matchAll(/^ {0,2}(\w+):/gm)].map(([, key]) => key!);
        return [section, keys.sort()];
      }),
    );
  });

  test.each([
    ["resource_limits:\n  cpu_coumt: 1\n", "limits.yaml:2: resource_limits.cpu_coumt is no limit"],
    ["sandbox: {}\nlimits:\n  a: 1\n", "limits.yaml:2: limits is no limit"],
    ['resource_limits:\n  cpu_count: 1\n  memory_limit: "lots"\n', "limits.yaml:3: resource_limits.memory_limit"],
    ["resource_limits:\n  cpu_count: 0\n", "limits.yaml:2: resource_limits.cpu_count"],
    ["resource_limits:\n  cpu_quota: 0\n", "limits.yaml:2: resource_limits.cpu_quota"],
    ["resource_limits:\n  step_timeout_sec: -5\n", "limits.yaml:2: resource_limits.step_timeout_sec"],
    ["resource_limits:\n  pids_limit: 1.5\n", "limits.yaml:2: resource_limits.pids_limit"],
    ["resource_limits:\n  network_disabled: no thanks\n", "limits.yaml:2: resource_limits.network_disabled"],
    ["replay:\n  format: xml\n", "limits.yaml:2: replay.format"],
    ["validation:\n  allowed_extensions: [py]\n", "limits.yaml:2: validation.allowed_extensions.0"],
    ["logging:\n  level: LOUD\n", "limits.yaml:2: logging.level"],
    ["resource_limits: [1]\n", "limits.yaml:1: resource_limits"],
    ["a: &a [1]\nb: [*a, *b]\n", "limits.yaml:"],
    ["resource_limits:\n  cpu_count: 1\n  cpu_count: 2\n", "limits.yaml:3:"],
    ["- 1\n", "limits.yaml:1: the file"],
  ])("%j is refused at its place", (text, place) => {
    expect(() => parseLimits(text, "limits.yaml")).toThrow(place);
  });

  test("a section without keys, sizes in every unit, and levels in small letters", () => {
    expect(parseLimits("sandbox:\nlogging: {level: warning}\n", "x")).toMatchObject({
      sandbox: { max_code_size_mb: 50 },
      logging: { level: "WARNING" },
    });
    const memory = (size: string) =>
      parseLimits(`resource_limits: {memory_limit: ${size}}`, "x").resource_limits.memory_limit;
    expect(["1g", "256M", "65536k", "1048576b", "1048576"].map(memory)).toEqual([
      2 ** 30,
      2 ** 28,
      2 ** 26,
      2 ** 20,
      2 ** 20,
    ]);
  });
});
