/**
 * The HTTP+JSON API against its own description: schemathesis sends what the schemas allow and what they forbid, as every
 * kind of caller. Nothing may end in a 5xx, and every answer must be one that docs/openapi.json names.
 *
 * What it sends is the same each time. LANISTA_FUZZ_SEED draws others, LANISTA_FUZZ_EXAMPLES (for each call) more of them.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pythonPackages } from "../python.ts";
import { makeWorld, type World } from "./world.ts";

const here = import.meta.dirname;
const document = join(here, "../../../docs/openapi.json");
const venv = pythonPackages(join(here, "requirements.txt"));
const EXAMPLES = process.env.LANISTA_FUZZ_EXAMPLES ?? "12";
const SEED = process.env.LANISTA_FUZZ_SEED ?? "1";
const PHASES = ["--phases", "coverage,fuzzing"];
const LIMIT_MS = 900_000;
const CHECKS = [
  "not_a_server_error",
  "status_code_conformance",
  "content_type_conformance",
  "response_schema_conformance",
  "response_headers_conformance",
];

/** Status by status how often, for each call. */
type Answers = Readonly<Record<string, Readonly<Record<string, number>>>>;

describe.skipIf(venv === null)("schemathesis", () => {
  let world: World;
  const folder = mkdtempSync(join(tmpdir(), "lanista-fuzz-"));
  beforeAll(async () => {
    world = await makeWorld();
  });
  afterAll(async () => {
    await world?.close();
    rmSync(folder, { recursive: true });
  });

  async function fuzz(token: string | null, options: readonly string[]): Promise<Answers> {
    const answers = join(folder, "answers.json");
    const child = spawn(
      join(venv ?? "", "bin/st"),
      [
        "--no-color",
        ...["run", document, "--url", world.server.urls.http, "--seed", SEED, "--max-examples", EXAMPLES],
        ...["--checks", CHECKS.join(","), "--suppress-health-check", "all"],
        ...["--warnings", "off", "--continue-on-failure", "--no-shrink", "--generation-database", "none"],
        ...["--generation-with-security-parameters", "false"],
        ...(token === null ? [] : ["--header", `Authorization: Bearer ${token}`]),
        ...options,
      ],
      {
        cwd: folder,
        env: {
          ...process.env,
          PYTHONPATH: here,
          SCHEMATHESIS_HOOKS: "hooks",
          PYTHONDONTWRITEBYTECODE: "1",
          LANISTA_FUZZ_VALUES: JSON.stringify(world.values),
          LANISTA_FUZZ_SPARED: JSON.stringify(world.spared),
          LANISTA_FUZZ_ANSWERS: answers,
        },
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    const end = new Promise<number | null>((resolve) => child.once("close", (code) => resolve(code)));
    const [code, out, err] = await Promise.all([end, text(child.stdout), text(child.stderr)]);
    // The whole report: it says how to send the request again.
    if (code !== 0) console.error(`${out}\n${err}`);
    expect(code).toBe(0);
    return JSON.parse(readFileSync(answers, "utf8"));
  }

  const reached = (answers: Answers, status: string): string[] =>
    Object.keys(answers).filter((name) => (answers[name]?.[status] ?? 0) > 0);
  const all = Object.keys(JSON.parse(readFileSync(document, "utf8")).paths).map((path) => path.replace(/^.*\./, ""));
  const workers = all.filter((name) => /^WorkerService\/(Lease|Heartbeat|Report)$/.test(name));

  it(
    "finds no fault as nobody",
    async () => {
      // All but a few are refused before their body is read.
      const answers = await fuzz(null, ["--phases", "fuzzing"]);
      expect(Object.keys(answers).toSorted()).toEqual(all.toSorted());
      expect(reached(answers, "200")).toEqual(expect.arrayContaining(["EnvironmentService/ListEnvironments"]));
      expect(reached(answers, "401").length).toBeGreaterThan(40);
    },
    LIMIT_MS,
  );

  it(
    "finds no fault as a worker",
    async () => {
      const answers = await fuzz(world.workerToken, [...PHASES, "--include-path-regex", "WorkerService"]);
      expect(reached(answers, "200")).toEqual(expect.arrayContaining(workers));
    },
    LIMIT_MS,
  );

  it(
    "finds no fault as a participant",
    async () => {
      const answers = await fuzz(world.participant.token, PHASES);
      // Well inside, to the end, and not only at the door.
      expect(reached(answers, "401")).toEqual([]);
      expect(reached(answers, "200").length).toBeGreaterThan(25);
      expect(reached(answers, "403").length).toBeGreaterThan(5);
    },
    LIMIT_MS,
  );

  it(
    "finds no fault as an administrator",
    async () => {
      const answers = await fuzz(world.administrator.token, PHASES);
      expect(reached(answers, "401")).toEqual([]);
      expect(reached(answers, "200").length).toBeGreaterThan(45);
    },
    LIMIT_MS,
  );
});
