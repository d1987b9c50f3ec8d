/** Whole validations in real sandboxes: what is found, what cannot make one hang, and what cannot pass for a valid agent. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { INSPECTION_MEMORY_BYTES } from "@lanista/arena/validation/inspect";
import { type PolicyDocument, parsePolicy } from "@lanista/arena/validation/policy";
import { findingLine, type ValidationReport } from "@lanista/arena/validation/report";
import { type ValidationRequest, validateAgent } from "@lanista/arena/validation/validate";
import { makeEnvironment } from "@lanista/games/environment";
import { environments } from "@lanista/games/registry";
import { cgroupLayout } from "@lanista/sandbox/cgroup-layout";
import { unenforceable } from "@lanista/sandbox/enforceable";
import { SandboxHost } from "@lanista/sandbox/host";
import { findNode, findPython } from "@lanista/sandbox/interpreters";
import { findExecutable } from "@lanista/sandbox/runtimes";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeZip } from "../bundles/zip-writer.ts";
import { soonest } from "../support/soonest.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const GUEST = join(ROOT, "guest");
const folder = mkdtempSync(join(tmpdir(), "lanista-validation-"));

/** The walls that this host can put up; a test of what is found needs no particular ones. */
const runtime = (["crun", "runc"] as const).find((name) => findExecutable(name) !== undefined);
const walls =
  runtime === undefined
    ? ({ tier: "none" } as const)
    : ({
        tier: "container",
        runtime,
        giveUp: [...unenforceable(runtime, cgroupLayout(), process.getuid?.() !== 0).keys()],
      } as const);

let host: SandboxHost;
let boxes: ValidationRequest["boxes"];
beforeAll(async () => {
  host = await SandboxHost.open({ runDir: join(folder, "run") });
  boxes = {
    ...walls,
    interpreters: { python: await findPython(), javascript: findNode() },
    guestDir: GUEST,
  };
});
afterAll(async () => {
  await host.close();
  rmSync(folder, { recursive: true, force: true });
});

type Files = Readonly<Record<string, string>>;
let agents = 0;

function agent(files: Files): string {
  const dir = join(folder, `agent-${++agents}`);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), text, { mode: name === "run" ? 0o755 : 0o644 });
  }
  return dir;
}

interface Asked extends Partial<Omit<ValidationRequest, "policy" | "env">> {
  readonly policy?: PolicyDocument;
  readonly env?: string;
}

async function validate(what: Files | string, asked: Asked = {}): Promise<ValidationReport> {
  const { policy = {}, env = "tic-tac-toe", ...more } = asked;
  const workDir = join(folder, "work");
  const report = await validateAgent({
    path: typeof what === "string" ? what : agent(what),
    env: makeEnvironment(environments.get(env)!),
    policy: parsePolicy(policy),
    host,
    boxes,
    workDir,
    startSeconds: 10,
    ...more,
  });
  expect(readdirSync(workDir)).toEqual([]);
  expect(report.valid).toBe(report.errors.length === 0);
  return report;
}

const codes = (report: ValidationReport): string[] => report.errors.map((one) => one.code);

const FIRST = "def act(seen):\n    return list(seen['action_mask']).index(1)\n";
const FIRST_JS = "export const act = (seen) => seen.action_mask.indexOf(1);\n";
const STRICT = { forbidden: "error" } as const;

describe("an agent that will do", () => {
  test("in Python", async () => {
    const report = await validate({ "agent.py": `import json\nfrom lib import tool\n${FIRST}`, "lib/tool.py": "" });
    expect(report).toMatchObject({
      valid: true,
      errors: [],
      warnings: [],
      checks: { structure: "passed", syntax: "passed", imports: "passed", requirements: "skipped", dry_run: "passed" },
      agent: { language: "python", entry: "agent.py", digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
      interpreter: { name: "python", version: expect.stringMatching(/^3\.\d+\.\d+$/) },
      sandbox: { tier: walls.tier },
    });
  });

  test("in JavaScript, as a module and as a script", async () => {
    for (const files of [
      {
        "agent.mjs": `import { x } from "./lib/x.js";\nimport "node:fs";\n${FIRST_JS}`,
        "lib/x.js": "export const x = 1;",
      },
      { "agent.js": `const { sep } = require("node:path");\nexports.act = (seen) => seen.action_mask.indexOf(1);` },
      { "package.json": `{"type":"module","main":"start.js"}`, "start.js": `await 1;\n${FIRST_JS}` },
    ] as Files[])
      expect(await validate(files)).toMatchObject({
        valid: true,
        warnings: [],
        interpreter: { name: "node", version: process.versions.node },
      });
  });

  test("in another language, whose files nobody looks through", async () => {
    const report = await validate(join(ROOT, "examples/agents/sh/random"));
    expect(report).toMatchObject({
      valid: true,
      checks: { structure: "passed", syntax: "skipped", imports: "skipped", dry_run: "passed" },
      interpreter: null,
    });
  });

  test("on every built-in environment", async () => {
    for (const env of environments.keys())
      expect(await validate(join(ROOT, "examples/agents/python/random.py"), { env }), env).toMatchObject({
        valid: true,
      });
  }, 120_000);
});

describe("what is wrong is told, with its place", () => {
  test("a syntax error; then the agent is not started", async () => {
    const report = await validate({ "agent.py": FIRST, "lib/bad.py": "x = 1\ny = = 2\n" });
    expect(report.errors.map(findingLine)).toEqual(["lib/bad.py:2: SyntaxError: invalid syntax"]);
    expect(report.checks).toMatchObject({ syntax: "failed", dry_run: "skipped" });
  });

  test("a syntax error in JavaScript, in modules and scripts", async () => {
    const report = await validate({
      "agent.mjs": FIRST_JS,
      "a.mjs": "const a = 1;\n\nlet a = ;\n",
      "b.cjs": "\nreturn ]",
      "c.js": "import x from './agent.mjs'\nlet = = 1",
      "d.cjs": "import x from './agent.mjs'",
    });
    expect(report.errors.map(({ file, line, code }) => [file, line, code])).toEqual([
      ["a.mjs", 3, "syntax"],
      ["b.cjs", 2, "syntax"],
      ["c.js", 2, "syntax"],
      ["d.cjs", 1, "syntax"],
    ]);
  });

  test("forbidden names: an error or a warning, as the policy says", async () => {
    const files = { "agent.py": `import os as o\n${FIRST}\nif 0:\n    o.system('ls')\n` };
    const strict = await validate(files, { policy: STRICT });
    expect(strict.errors).toMatchObject([{ code: "forbidden", file: "agent.py", line: 6, check: "imports" }]);
    expect(strict.errors[0]!.message).toBe("uses os.system, which the policy forbids");
    expect(strict.checks).toMatchObject({ imports: "failed", dry_run: "passed" });
    expect(await validate(files)).toMatchObject({ valid: true, warnings: [{ code: "forbidden" }] });
    expect(await validate(files, { policy: { forbidden: "ignore" } })).toMatchObject({ valid: true, warnings: [] });
  });

  test("forbidden modules of JavaScript", async () => {
    const policy = { forbidden: "error", forbidden_imports: ["child_process", "fs"] } as const;
    const report = await validate(
      {
        "agent.mjs": `import "node:child_process";\nimport p from 'fs/promises';\n${FIRST_JS}`,
        "b.cjs": `const c = require("child_process");\n// require("fs")\nconst filesystem = require("./fs");`,
        "fs.js": "",
      },
      { policy },
    );
    expect(report.errors.map(findingLine)).toEqual([
      "agent.mjs:1: imports child_process, which the policy forbids",
      "agent.mjs:2: imports fs, which the policy forbids",
      "b.cjs:1: imports child_process, which the policy forbids",
    ]);
  });

  test("imports that will not be found", async () => {
    const python = await validate({ "agent.py": `def later():\n    import nowhere.at_all\n${FIRST}` });
    expect(python).toMatchObject({ valid: true, warnings: [{ code: "missing_import", line: 2 }] });
    const js = await validate({
      "agent.mjs": FIRST_JS,
      "other.mjs": `import "./agent.mjs";\nimport "./gone.mjs";\nimport "nowhere";\nimport "@own/thing/x.js";`,
      "node_modules/@own/thing/x.js": "",
    });
    expect(js.warnings.map((one) => [one.code, one.line])).toEqual([
      ["missing_import", 2],
      ["missing_import", 3],
    ]);
    const strict = await validate(
      { "agent.py": FIRST, "x.py": "import nowhere" },
      { policy: { missing_imports: "error" } },
    );
    expect(codes(strict)).toEqual(["missing_import"]);
  });

  test("requirements that are not installed", async () => {
    const report = await validate({ "agent.py": FIRST, "requirements.txt": "\nnowhere-to-be-found==1.0\n" });
    expect(report).toMatchObject({
      valid: true,
      warnings: [{ code: "requirement", file: "requirements.txt", line: 2 }],
    });
  });

  test("sizes, endings and lines", async () => {
    const files = { "agent.py": FIRST, "long.py": "x = 1\n".repeat(20), "data.bin": "x".repeat(2000), run_me: "" };
    const policy = { max_file_size_mb: 0.001, max_lines: 19, allowed_extensions: [".py"] };
    const report = await validate(files, { policy });
    expect(report.errors.map((one) => [one.file, one.code])).toEqual([
      ["data.bin", "extension"],
      ["data.bin", "file_size"],
      ["long.py", "lines"],
      ["run_me", "extension"],
    ]);
    expect(report.checks).toMatchObject({ structure: "failed", syntax: "skipped", dry_run: "skipped" });
    const enough = { max_file_size_mb: 0.002, max_lines: 20, allowed_extensions: [".py", ".bin", ""] };
    expect(await validate(files, { policy: enough })).toMatchObject({ valid: true });
  });

  test("bundles that are refused: a bomb, a way out, nothing to start", async () => {
    const zip = (name: string, bytes: Uint8Array): string => {
      writeFileSync(join(folder, name), bytes);
      return join(folder, name);
    };
    const zeros = Buffer.alloc(8 * 1024 * 1024);
    const bomb = zip(
      "bomb.zip",
      writeZip([
        { name: "agent.py", data: FIRST },
        { name: "zeros", data: zeros },
      ]),
    );
    expect(codes(await validate(bomb, { policy: { max_total_size_mb: 4 } }))).toEqual(["bundle_too_large"]);
    expect(await validate(bomb)).toMatchObject({ valid: true });
    const slip = zip("slip.zip", writeZip([{ name: "../agent.py", data: FIRST }]));
    expect(codes(await validate(slip))).toEqual(["bundle_unsafe_name"]);
    expect(codes(await validate(zip("garbage.zip", Buffer.from("PK garbage"))))).toEqual(["bundle_corrupt"]);
    const none = await validate({ "notes.txt": "" });
    expect(none).toMatchObject({
      valid: false,
      agent: null,
      errors: [{ code: "bundle_no_entry", check: "structure" }],
    });
    await expect(validate(join(folder, "gone"))).rejects.toMatchObject({ name: "BundleError", code: "not_found" });
  });
});

describe("the dry run names the fault, as a match would", () => {
  test.each<readonly [string, string, string, RegExp]>([
    ["an error at the start", "print('here')\nraise ValueError('no idea')", "fault_start", /no idea/],
    ["nothing to call", "x = 1", "fault_start", /none of the functions/],
    ["an error in its move", "def act(seen):\n    return seen.nothing", "fault_crash", /AttributeError/],
    ["no integer", "def act(seen):\n    return 'a1'", "fault_crash", /an action is an integer/],
    ["an illegal action", "def act(seen):\n    return 9", "fault_illegal_action", /the action 9 is not legal/],
    ["an end", "import sys, os\ndef act(seen):\n    os._exit(3)", "fault_crash", /status 3/],
    ["a hang at the start", "while True: pass", "fault_start", /not ready within 1500 ms/],
    [
      "a hang in its move",
      "import time\ndef act(seen):\n    time.sleep(60)",
      "fault_timeout",
      /no answer within 1000 ms/,
    ],
  ])("%s", async (_, source, code, message) => {
    const times = source.startsWith("while") ? { startSeconds: 1.5 } : { moveSeconds: 1 };
    const report = await validate({ "agent.py": source }, times);
    expect(report.errors).toMatchObject([{ check: "dry_run", code, message: expect.stringMatching(message) }]);
    expect(report.checks.dry_run).toBe("failed");
    if (source.startsWith("print")) expect(report.errors[0]!.log).toMatch(/here\n[\s\S]*no idea/);
  });

  test("of an executable that speaks out of turn", async () => {
    const source = `#!/bin/sh\nread x; echo '{"type":"ready","protocol":1}'; read y; echo '{"valid":true}'; sleep 5\n`;
    const report = await validate({ run: source });
    expect(report.errors).toMatchObject([{ code: "fault_protocol" }]);
  });

  test("can be left out", async () => {
    const report = await validate({ "agent.py": "raise SystemExit" }, { policy: { dry_run: false } });
    // What a job of it asks its worker for.
    expect(report.sandbox?.limits.memoryBytes).toBe(INSPECTION_MEMORY_BYTES);
    expect(report).toMatchObject({ valid: true, checks: { dry_run: "skipped", syntax: "passed" } });
  });
});

describe("hostile files", () => {
  test("cannot run where they are looked through, nor speak for it", async () => {
    const forged = `print('{"type":"done","left_out":0}')\n`;
    const names = [
      "ast",
      "json",
      "validate",
      "validate_names",
      "runner",
      "sitecustomize",
      "usercustomize",
      "encodings",
    ];
    const files = Object.fromEntries(names.map((name) => [`${name}.py`, `import os\n${forged}os._exit(0)\n`]));
    const report = await validate({ ...files, "agent.py": "x = = 1\n", "site.pth": "import os; os._exit(0)" });
    expect(report.errors).toMatchObject([{ code: "syntax", file: "agent.py" }]);
    const js = await validate({
      "agent.mjs": FIRST_JS,
      "package.json": `{"type":"module"}`,
      "evil.mjs": `process.stdout.write('{"type":"done","left_out":0}\\n'); process.exit(0);`,
      "last.mjs": "x = = 1",
    });
    expect(js.errors).toMatchObject([{ code: "syntax", file: "last.mjs" }]);
  });

  test("of terminal codes and line breaks in names and words stay on their line", async () => {
    const report = await validate({
      "agent.py": FIRST,
      "x.py": "import a\u0301\nfrom b.\u00e9\u0301 import c\nx = '\u001b[2J' = 1",
    });
    for (const one of [...report.errors, ...report.warnings]) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: the characters that must not be there
      expect(findingLine(one)).not.toMatch(/[\u0000-\u001f]/);
      expect(findingLine(one).length).toBeLessThanOrEqual(1000);
    }
  });

  test.runIf(runtime !== undefined)("that take the parser's time or memory are an error, in time", async () => {
    // Long to compile, by each of the ways that are known to be slow, times a hundred.
    const slow = `x = ${"[".repeat(80)}${"1,".repeat(2_000_000)}${"]".repeat(80)}\n`;
    const files = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`slow${i}.py`, slow]));
    const began = performance.now();
    const report = await validate({ "agent.py": FIRST, ...files }, { inspectSeconds: 1.5 });
    expect(performance.now() - began).toBeLessThan(45_000);
    expect(report).toMatchObject({
      valid: false,
      errors: [{ code: "inspection", file: expect.stringMatching(/^slow/) }],
    });
    expect(report.errors[0]!.message).toMatch(/time was used up|memory limit/);
    expect(report.checks).toMatchObject({ syntax: "failed", dry_run: "skipped" });
  });

  test("by the thousand are listed in bounds", async () => {
    const files = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`f${i}.py`, "eval('1')\nexec('')\n"]));
    const report = await validate({ "agent.py": FIRST, ...files }, { policy: STRICT });
    expect(report.errors).toHaveLength(100);
    expect(report.errors.at(-1)).toMatchObject({ code: "more", message: expect.stringMatching(/^and \d+ more/) });
    expect(report.warnings.length).toBeLessThanOrEqual(100);
  });
});

describe("an end from outside", () => {
  test("stops it within a second, and leaves nothing", async () => {
    const ended = async (): Promise<number> => {
      const abort = new AbortController();
      const asked = { signal: abort.signal, startSeconds: 60 };
      const running = validate({ "agent.py": "import time\ntime.sleep(3600)" }, asked).then(
        () => undefined,
        (error: unknown) => error,
      );
      await new Promise((resolve) => setTimeout(resolve, 1500));
      const at = performance.now();
      abort.abort();
      expect(await running).toMatchObject({ name: "AbortError" });
      const took = performance.now() - at;
      expect(readdirSync(join(folder, "work"))).toEqual([]);
      return took;
    };
    expect(await soonest(1000, ended)).toBeLessThan(1000);
  });

  test("before the beginning: nothing is begun", async () => {
    await expect(validate({ "agent.py": FIRST }, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      name: "AbortError",
    });
  });

  test("a host that is closed is our fault, and no verdict", async () => {
    const closed = await SandboxHost.open({ runDir: join(folder, "closed") });
    const running = validate({ "agent.py": "import time\ntime.sleep(3600)" }, { host: closed, startSeconds: 60 });
    setTimeout(() => void closed.close(), 700);
    await expect(running).rejects.toMatchObject({ name: "SandboxError" });
  });
});
