/** The tasks of examples/, and those that `lanista init task` writes, tell right from wrong. */
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkTask } from "@lanista/arena/grading/check-task";
import { takeTask } from "@lanista/arena/grading/task";
import { GradingStage } from "@lanista/arena/grading/testing";
import { randomSeed } from "@lanista/arena/seeds";
import { afterAll, beforeAll, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const folders = ["examples/tasks", "packages/cli/templates/task"].flatMap((parent) =>
  readdirSync(join(ROOT, parent), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(parent, name)),
);

let stage: GradingStage;
beforeAll(async () => {
  stage = await GradingStage.open();
});
afterAll(() => stage.close());

test("there is one of each kind", () => {
  expect(folders.map((folder) => folder.split("/").at(-1)).sort()).toEqual([
    "bicycles",
    "corners",
    "environment",
    "judge",
    "shortest-path",
    "supervised",
  ]);
});

// What all cheats of ours come to is tried where the check itself is tested.
const FEW = ["forge", "read", "claim", "none", "huge_list", "uniform"];

test.each(folders)("%s", { timeout: 240_000 }, async (folder) => {
  const own = join(stage.dir, "own", folder);
  cpSync(join(ROOT, folder), own, { recursive: true });
  const manifest = join(own, "task.yaml");
  // As init does.
  writeFileSync(manifest, readFileSync(manifest, "utf8").replaceAll("SEED", String(randomSeed())));
  const task = await takeTask(own, join(stage.dir, "examples"));
  const report = await checkTask({
    task,
    boxes: stage.boxes,
    concurrency: 2,
    ways: FEW,
  });
  expect(report.findings).toEqual([]);
  expect(report).toMatchObject({ ok: true, reference: { points: 100 }, cheat: { points: 0 } });
});
