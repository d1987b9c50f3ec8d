/**
 * Escape, reading and network: every attempt of the hostile programs is refused in a box, on every runtime; and the same
 * attempts succeed outside, where the walls are not, so none of them passes for being badly made.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HOSTILE, isRoot, KINDS, openStage, ROOT, runProgram, type Stage } from "./support/boxes.ts";
import { ALSO_REFUSED, CONTROLS, GVISOR_EMULATES, LINES, type ProgramFile, REFUSALS } from "./support/lines.ts";
import { openScene, type Scene } from "./support/scene.ts";

interface Result {
  readonly result: string;
  readonly note: string;
}

const PROGRAMS = Object.keys(LINES) as ProgramFile[];

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

describe.each(KINDS)("$name", (kind) => {
  const { runtime, image } = kind;
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene(stage, kind);
  });
  afterAll(() => scene.close());

  describe.each(PROGRAMS)("%s", (file) => {
    let results: Readonly<Record<string, Result>> = {};
    beforeAll(async () => {
      const ran = await runProgram(stage, {
        runtime,
        image,
        file,
        args: [JSON.stringify(scene.config)],
        mounts: [{ source: scene.setuidDir, target: "/setuid" }],
      });
      expect(ran.end.cause, ran.stderr).toEqual({ kind: "exit", code: 0 });
      results = JSON.parse(ran.stdout);
    }, 120_000);

    for (const [line, names] of Object.entries(LINES[file]))
      describe(line, () => {
        it.each(names)("%s", (name) => {
          const { result, note } = results[name] ?? { result: "not tried", note: "" };
          // An exception that is no longer needed must go.
          if (runtime === "runsc" && name in GVISOR_EMULATES) expect(REFUSALS).not.toContain(result);
          else expect([...REFUSALS, ...(ALSO_REFUSED[name] ?? [])], `${result}: ${note}`).toContain(result);
        });
      });

    it("belongs to a line with every attempt it makes", () => {
      const listed = [...Object.values(LINES[file]).flat(), ...CONTROLS];
      expect(Object.keys(results).filter((name) => !listed.includes(name))).toEqual([]);
    });

    it.runIf(file === "escape_files.py")("could have written, where it may", () => {
      expect(results.create_in_scratch?.result).toBe("ok");
    });
  });

  it("let nothing reach the host's services", () => {
    expect(scene.reached()).toBe(0);
  });
});

/** As root in namespaces of its own where an attempt could change the host's mounts or name. */
const BARE = ["unshare", "--mount", "--uts", "--ipc", "--propagation", "private"];

function canUnshare(): boolean {
  try {
    execFileSync(BARE[0]!, [...BARE.slice(1), "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

describe.runIf(isRoot && KINDS.length > 0 && canUnshare())("outside of any sandbox", () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene(stage, KINDS[0]!);
  });
  afterAll(() => scene.close());

  describe.each(PROGRAMS)("%s succeeds with", (file) => {
    const names = Object.entries(
      JSON.parse(execFileSync("python3", ["-B", join(HOSTILE, file), "--list"], { encoding: "utf8" })) as Record<
        string,
        boolean
      >,
    )
      .filter(([, bare]) => bare)
      .map(([name]) => name);
    let results: Readonly<Record<string, Result>> = {};
    beforeAll(async () => {
      const config = { ...scene.config, setuid: join(scene.setuidDir, "id"), shown: [] };
      const args = [...BARE.slice(1), stage.python.path, "-B", join(HOSTILE, file), JSON.stringify(config), "--bare"];
      const env = { ...process.env, LANISTA_CANARY: String(scene.config.canary) };
      // A fourth descriptor, for inherited_descriptors to find: without it the control would hang on what else is open here.
      const program = spawn(BARE[0]!, args, { env, stdio: ["ignore", "pipe", "inherit", "pipe"] });
      const [out] = await Promise.all([text(program.stdout!), once(program, "close")]);
      results = JSON.parse(out);
    });

    it.each(names)("%s", (name) => {
      expect(`${results[name]?.result}: ${results[name]?.note}`).toMatch(/^ok: /);
    });
  });
});

it("names every exception in the documentation", () => {
  const page = readFileSync(join(ROOT, "docs/threats.md"), "utf8");
  expect(Object.keys(GVISOR_EMULATES).filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});
