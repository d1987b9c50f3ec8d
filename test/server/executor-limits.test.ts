/** Every line of a limits.yaml is seen to bite (sandbox.docker_image: executor-docker.test.ts). docs/executor.md says what each becomes. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { INSPECTION_MEMORY_BYTES } from "@lanista/arena/validation/inspect";
import { type MatchJobResult, matchResult } from "@lanista/server/jobs/payloads";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { lateAtFirst, PONG, STILL, slow } from "../clients/python/executor/agents.ts";
import { executorPackages, type MatchResponse } from "../clients/python/executor/python-client.ts";
import { ExecutorWorld } from "./support/executor-world.ts";

const venv = executorPackages();
const folder = mkdtempSync(join(tmpdir(), "lanista-limits-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Small, but for what holds back the start of every agent: that has tests of its own. */
const SMALL = `
resource_limits:
  cpu_count: 2
  cpu_period: 100000
  cpu_quota: 200000
  memory_limit: 96m
  memory_swap: 1g
  step_timeout_sec: 1
  match_timeout_sec: 12
  init_timeout_sec: 3
  pids_limit: 12
  network_disabled: false
  max_steps_per_match: 22
sandbox:
  tmp_dir: ${folder}/tmp
  replay_dir: ${folder}/replays
  max_code_size_mb: 0.01
  read_only_root: false
  drop_capabilities: false
  no_new_privileges: false
  use_docker: false
validation:
  max_file_size_mb: 0.005
  allowed_extensions: [.py, .md]
  forbidden_imports: [socket, os.system]
  max_lines: 20
replay:
  format: json
  compress: true
  max_frames: 7
  include_observations: false
  include_actions: false
logging:
  level: WARNING
  format: text
  output: ${folder}/executor.log
`;

/** What an agent finds out, it says by raising it: the answer has it as its error message. */
const says = (body: string): string => `
def look():
${body.replace(/^/gm, "    ")}
def get_action(obs):
    raise ValueError("found: " + str(look()))
`;

/** What the match's job came to. */
async function resultOf(arena: ExecutorWorld, id: string): Promise<MatchJobResult> {
  const { result } = await arena.world.database.db
    .selectFrom("executor_matches as e")
    .innerJoin("matches as m", "m.id", "e.match_id")
    .innerJoin("jobs as j", "j.id", "m.job_id")
    .select("j.result")
    .where("e.external_id", "=", id)
    .executeTakeFirstOrThrow();
  return matchResult.parse(result);
}

test("the page names every line", () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/executor.md"), "utf8");
  const table = page.slice(page.indexOf("## limits.yaml"), page.indexOf("## ValidateAgent"));
  const [, ...sections] = SMALL.split(/^(?=\w)/m);
  for (const section of [...sections, "sandbox:\n  docker_image: x\n"]) {
    const [name = "", ...keys] = [...section.matchAll(/^ {0,2}(\w+):/gm)].map(([, key]) => key!);
    const row = table.split("\n").filter((line) => line.startsWith(`| \`${name}.`));
    const named = row.flatMap((line) => [...line.split("|")[1]!.matchAll(/(\w+)`/g)].map(([, key]) => key!));
    for (const key of keys) expect(named, `${name}.${key}`).toContain(key);
  }
});

describe.skipIf(venv === null)("a limits.yaml", () => {
  let arena: ExecutorWorld;
  beforeAll(async () => {
    arena = await ExecutorWorld.open(venv!, { limits: SMALL });
  });
  afterAll(() => arena?.close());

  /** The first agent's error message, and the rest. */
  async function first(script: string, more: { timeoutSec?: number } = {}): Promise<[string, MatchResponse]> {
    const answer = await arena.play({ agents: [script, STILL], ...more });
    return [answer.agent_results[0]!.error_message, answer];
  }

  test("max_steps_per_match ends a match that goes on", async () => {
    expect(await arena.play({ agents: [STILL, STILL] })).toMatchObject({ status: "STATUS_SUCCESS", total_steps: 22 });
  });

  test("memory_limit ends an agent that takes more, memory_swap or not", async () => {
    const script = "def get_action(obs):\n    return len(bytearray(200 << 20)) % 3\n";
    const answer = await arena.play({ agents: [script, STILL], id: "memory" });
    expect(answer).toMatchObject({ status: "STATUS_SUCCESS", winner_agent_id: "agent-b" });
    // On a busy host it may be late before it is found to have too much.
    expect((await resultOf(arena, "memory")).seats[0]!.faultKinds).toMatchObject({ memory: 1 });
    expect(await first("def get_action(obs):\n    return len(bytearray(20 << 20)) % 3\n")).toMatchObject(["", {}]);
  });

  test("pids_limit ends an agent that starts more threads", async () => {
    const script = (threads: number): string => `
import threading, time
for _ in range(${threads}):
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
def get_action(obs):
    return 1
`;
    expect((await first(script(2)))[0]).toBe("");
    const [message, answer] = await first(script(40));
    expect(answer.winner_agent_id).toBe("agent-b");
    expect(message).not.toBe("");
  });

  test("step_timeout_sec replaces a move that comes later, and the match goes on", async () => {
    const [message, answer] = await first(lateAtFirst(1.4));
    expect(message).toContain("1000 ms");
    // Nobody can have scored by then.
    expect(answer).toMatchObject({ status: "STATUS_SUCCESS", total_steps: 22, winner_agent_id: "" });
    expect(answer.agent_results[0]).toMatchObject({ errors: 1, score: 0 });
  });

  test("init_timeout_sec ends an agent that is not ready by then", async () => {
    const [message, answer] = await first("import time\ntime.sleep(60)\n");
    expect(message).toMatch(/3000 ms|ready/);
    expect(answer).toMatchObject({ winner_agent_id: "agent-b", total_steps: 0 });
  });

  test("match_timeout_sec ends a match, also one whose caller would wait longer", async () => {
    const answer = await arena.play({ agents: [slow(0.6), slow(0.6)], timeoutSec: 1000 });
    expect(answer).toMatchObject({ status: "STATUS_TIMEOUT", error_message: expect.stringContaining("12 seconds") });
  }, 60_000);

  test.each([
    [
      "network_disabled",
      "return [line.split(':')[0].strip() for line in open('/proc/net/dev').read().splitlines()[2:]]",
      "['lo']",
    ],
    [
      "read_only_root",
      "import os\nreturn [os.statvfs(path).f_flag & os.ST_RDONLY for path in ('/', '/usr')]",
      "[1, 1]",
    ],
    [
      "drop_capabilities",
      "text = open('/proc/self/status').read()\nreturn [line.split()[1] for line in text.splitlines() if line.startswith('CapEff')][0]",
      "0000000000000000",
    ],
    [
      "no_new_privileges",
      "text = open('/proc/self/status').read()\nreturn [line.split()[1] for line in text.splitlines() if line.startswith('NoNewPrivs')][0]",
      "1",
    ],
    ["use_docker", "import os\nreturn os.path.exists('/work') or os.path.exists('/etc/shadow')", "False"],
  ])("%s: false changes nothing", async (_, body, found) => {
    expect((await first(says(body)))[0]).toContain(`found: ${found}`);
  });

  test("max_code_size_mb refuses an agent that is larger", async () => {
    const [message, answer] = await first(`${STILL}#${"x".repeat(20_000)}`);
    expect(message).toContain("bytes");
    expect(answer.winner_agent_id).toBe("agent-b");
  });

  test("tmp_dir is where code lies while it is taken in", () => {
    expect(existsSync(join(folder, "tmp"))).toBe(true);
    expect(readdirSync(join(folder, "tmp"))).toEqual([]);
  });

  test("replay_dir, format, compress, max_frames, include_observations and include_actions shape the replay", async () => {
    const { replay_url: url } = await arena.play({ agents: [PONG, STILL], id: "shown", replay: true });
    expect(url).toMatch(/\.json$/);
    expect(readdirSync(join(folder, "replays")).sort()).toEqual(["shown.html", "shown.json.gz"]);
    const written = JSON.parse(gunzipSync(readFileSync(join(folder, "replays/shown.json.gz"))).toString());
    const packed = await arena.fetch(url, { "accept-encoding": "gzip" });
    expect(packed.headers.get("content-encoding")).toBe("gzip");
    expect(await packed.json()).toEqual(written);
    const plain = await arena.fetch(url, { "accept-encoding": "identity" });
    expect(plain.headers.get("content-encoding")).toBeNull();
    expect(await plain.json()).toEqual(written);
    expect(written.frames).toHaveLength(7);
    expect(written.metadata.total_steps).toBe(22);
    for (const { observations, actions } of written.frames) expect([observations, actions]).toEqual([{}, {}]);
  });

  test("a name that is a path becomes none in replay_dir", async () => {
    await arena.play({ agents: [STILL, STILL], id: "../../escaped", replay: true });
    expect(readdirSync(folder).sort()).toEqual(["executor.log", "replays", "tmp"]);
    expect(readdirSync(join(folder, "replays")).filter((name) => name.includes("escaped"))).toEqual([]);
  });

  describe("validation:", () => {
    const zip = (files: Record<string, string>): string => {
      const dir = mkdtempSync(join(tmpdir(), "lanista-zip-"));
      for (const [path, text] of Object.entries(files)) writeFileSync(join(dir, path), text);
      const script =
        "import sys,zipfile,os,io\nb=io.BytesIO()\nz=zipfile.ZipFile(b,'w',zipfile.ZIP_DEFLATED)\nfor f in os.listdir(sys.argv[1]): z.write(os.path.join(sys.argv[1],f),f)\nz.close()\nsys.stdout.buffer.write(b.getvalue())";
      const bytes = execFileSync("python3", ["-c", script, dir]);
      rmSync(dir, { recursive: true });
      return bytes.toString("base64");
    };
    const validate = (files: Record<string, string>) =>
      arena.client.call<{ valid: boolean; errors: string[]; warnings: string[] }>("ValidateAgent", {
        agent_id: "ada",
        code_zip: zip(files),
        environment: "pong",
      });

    test("a good agent is valid; its job asks for the memory that the larger of its boxes may take", async () => {
      const answer = await validate({ "agent.py": STILL, "notes.md": "hello" });
      expect(answer).toMatchObject({ valid: true, errors: [] });
      const jobs = await arena.world.database.db
        .selectFrom("jobs")
        .select("memory_bytes")
        .where("kind", "=", "validate")
        .execute();
      expect(new Set(jobs.map(({ memory_bytes }) => Number(memory_bytes)))).toEqual(new Set([INSPECTION_MEMORY_BYTES]));
    });

    test.each([
      ["max_file_size_mb", { "agent.py": `${STILL}#${"x".repeat(6000)}\n` }, /size|larger|bytes|MB/i],
      ["allowed_extensions", { "agent.py": STILL, "weights.bin": "x" }, /weights\.bin/],
      ["forbidden_imports", { "agent.py": `from os import system as s\n${STILL}` }, /os\.system/],
      ["forbidden_imports", { "agent.py": `import socket as sock\n${STILL}` }, /socket/],
      ["max_lines", { "agent.py": `${STILL}${"#\n".repeat(30)}` }, /lines/],
      [
        "max_code_size_mb",
        { "agent.py": `${STILL}#${Array.from({ length: 5000 }, (_, i) => i * 7919).join("")}\n` },
        /bytes/,
      ],
      ["its interface", { "agent.py": "def play(): pass\n" }, /./],
    ])("%s makes one invalid", async (_, files, words) => {
      const { valid, errors } = await validate(files);
      expect(valid).toBe(false);
      expect(errors.join("\n")).toMatch(words);
    });

    test("what the file does not forbid is not refused", async () => {
      expect(await validate({ "agent.py": `import re\nre.compile("x")\n${STILL}` })).toMatchObject({ valid: true });
    });

    test("no code is invalid, no environment is the caller's mistake", async () => {
      expect(await arena.client.call("ValidateAgent", { environment: "pong" })).toMatchObject({ valid: false });
      const request = { environment: "chess", code_zip: zip({ "agent.py": STILL }) };
      await expect(arena.client.call("ValidateAgent", request)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    });
  });

  test("level, format and output: warnings alone, as text, in the file; and it says what is satisfied more strictly", async () => {
    await arena.play({ env: "chess", agents: [STILL, STILL], id: "logged" });
    const log = readFileSync(join(folder, "executor.log"), "utf8").trimEnd().split("\n");
    for (const line of log) expect(line).toMatch(/^\d{4}-\S+ - executor - (WARNING|ERROR) - /);
    const text = log.join("\n");
    expect(text).toContain('matchId="logged"');
    expect(text).not.toContain("match ended");
    for (const key of [
      "memory_swap",
      "network_disabled",
      "use_docker",
      "read_only_root",
      "drop_capabilities",
      "no_new_privileges",
    ])
      expect(text).toContain(key);
  });
});

test.skipIf(venv === null)(
  "cpu_count, cpu_period and cpu_quota bound the CPU time, the least of them",
  async () => {
    const limits = "resource_limits: {cpu_count: 2, cpu_period: 100000, cpu_quota: 20000, max_steps_per_match: 1}\n";
    const arena = await ExecutorWorld.open(venv!, { limits });
    try {
      const script = says(`
import time
began, cpu = time.monotonic(), time.process_time()
while time.monotonic() - began < 1: pass
return (time.process_time() - cpu) / (time.monotonic() - began)`);
      const answer = await arena.play({ agents: [script, STILL], id: "cpu" });
      const share = Number(/found: ([0-9.]+)/.exec(answer.agent_results[0]!.error_message)?.[1]);
      expect((await resultOf(arena, "cpu")).sandbox).toMatchObject({ limits: { cpus: 0.2 } });
      // A busy loop gets a whole CPU where nothing holds it back.
      expect(share).toBeLessThan(0.6);
    } finally {
      await arena.close();
    }
  },
  60_000,
);

describe.skipIf(venv === null)("the other way round", () => {
  let arena: ExecutorWorld;
  const replays = join(folder, "other");
  const log = join(folder, "other.log");
  beforeAll(async () => {
    mkdirSync(replays);
    arena = await ExecutorWorld.open(venv!, {
      limits: `replay: {format: html}\nlogging: {level: info, format: json, output: ${log}}\n`,
      flags: { "executor.replayDir": replays, "executor.forfeitAfter": "4" },
    });
  });
  afterAll(() => arena?.close());

  test("format html gives the page alone, level info logs each match, and format json a line of it", async () => {
    const answer = await arena.play({ agents: [PONG, STILL], id: "page", replay: true });
    expect(answer.replay_url).toMatch(/\.html$/);
    expect(answer.replay_html_url).toBe(answer.replay_url);
    expect((await arena.fetch(answer.replay_url)).status).toBe(200);
    expect((await arena.fetch(answer.replay_url.replace("html", "json"))).status).toBe(404);
    expect(readdirSync(replays)).toEqual(["page.html"]);
    const lines = readFileSync(log, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines).toContainEqual(expect.objectContaining({ msg: "match ended", matchId: "page" }));
  }, 60_000);

  test("executor.forfeitAfter loses the match for the agent that did wrong so often", async () => {
    const answer = await arena.play({ agents: ["def get_action(obs):\n    return 99\n", STILL] });
    expect(answer).toMatchObject({ status: "STATUS_SUCCESS", winner_agent_id: "agent-b", total_steps: 3 });
    expect(answer.agent_results[0]!.errors).toBe(4);
  });
});
