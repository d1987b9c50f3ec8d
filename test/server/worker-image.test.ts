/** A worker whose agents' boxes have an image as their root: in matches and validations, and said in what comes out. */
import { execFileSync } from "node:child_process";
import { cpSync, realpathSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { sha256 } from "@lanista/arena/sha256";
import { parseReplay } from "@lanista/games/replay";
import { findExecutable } from "@lanista/sandbox/runtimes";
import { canMakeImage, makeTestImage } from "@lanista/sandbox/testing/image";
import { matchResult } from "@lanista/server/jobs/payloads";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FIRST, WorkerWorld } from "./support/worker-world.ts";

const CACHE = join(import.meta.dirname, "../../.cache");

describe.skipIf(!canMakeImage || findExecutable("crun") === undefined)("a worker with an image", () => {
  let world: WorkerWorld;
  let image: string;
  beforeAll(async () => {
    world = await WorkerWorld.open();
    const layout = join(world.dir, "layout");
    cpSync(makeTestImage(CACHE), layout, { recursive: true });
    const file = join(world.dir, "only_there.py");
    writeFileSync(file, "", { mode: 0o644 });
    image = `${layout}:test`;
    const library = `/usr/lib/${basename(realpathSync("/usr/bin/python3"))}`;
    execFileSync("umoci", ["insert", "--image", image, file, `${library}/only_there.py`], { stdio: "pipe" });
    await world.worker({ image });
  }, 120_000);
  afterAll(() => world?.close());

  const THERE = `import only_there\n${FIRST}`;

  test("plays in it, and says in which", async () => {
    const { id } = await world.match([THERE, FIRST]);
    const { outcome, result } = await world.ended(id);
    expect(outcome).toEqual({ kind: "completed" });
    const roots = matchResult.parse(result).seats.map(({ root }) => root);
    expect(roots).toEqual([expect.stringMatching(/^sha256:[0-9a-f]{64}$/), roots[0]]);
    const { header } = parseReplay(await world.output(id, -1), sha256);
    expect(header.seats.map(({ root }) => root)).toEqual(roots);
  });

  test("validates in it", async () => {
    const payload = {
      env: "tic-tac-toe",
      options: {},
      bundle: await world.bundle(THERE),
      tier: "container",
      limits: {},
      startSeconds: 30,
      actSeconds: 10,
      policy: null,
    };
    const { id } = await world.enqueue({ kind: "validate", payload, tier: "container" });
    expect((await world.ended(id)).result).toEqual({ valid: true, errors: [], warnings: [] });
  });

  test.each([
    ["that is none", () => join(world.dir, "absent"), "container", /absent/],
    ["that none of its tiers takes", () => image, "none", /container and gvisor/],
  ] as const)("one %s does not start", async (_, given, tier, words) => {
    await expect(world.worker({ image: given(), tiers: [tier] })).rejects.toThrow(words);
  });

  test("one without Python does not start", async () => {
    const without = join(world.dir, "without");
    cpSync(makeTestImage(CACHE), without, { recursive: true });
    const insert = ["insert", "--image", `${without}:test`, "--whiteout", "/usr/bin/python3"];
    execFileSync("umoci", insert, { stdio: "pipe" });
    await expect(world.worker({ image: `${without}:test` })).rejects.toThrow(
      /Python does not run in the image .*without:test: .*python3/,
    );
  });
});
