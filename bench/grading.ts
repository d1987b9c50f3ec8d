/**
 * What a grading costs beside the graded bundle's own run: aiVLE's bundles with the agent in a box of its own, a task of ours, a
 * hundred submissions beside the steps of aiVLE's own worker, and what one call of the agent costs across the boxes.
 *
 * The own run of a bundle is `bash ./bootstrap.sh` in one folder with both bundles' files, a bare process; of a task, its agent's runner
 * from start to first answer, a bare process too. Boxes are warm, as a worker keeps them.
 */
import { execFile, spawn } from "node:child_process";
import {
  cpSync,
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { promisify } from "node:util";
import { AgentBoxes } from "@lanista/arena/agent-boxes";
import { gradeAgent } from "@lanista/arena/grading/grade";
import { takeTask } from "@lanista/arena/grading/task";
import { gradeBundles } from "@lanista/arena/legacy/grade-bundles";
import { LegacyBoxes } from "@lanista/arena/legacy/legacy-boxes";
import type { LegacyGrade } from "@lanista/arena/legacy/types";
import { ZipFile } from "yazl";
import { Agents, missing } from "./lib/agents.ts";
import { type Figure, type Goal, goal, median, type Report, short, spread } from "./lib/figures.ts";
import { interleave, scaled } from "./lib/rounds.ts";
import { firstAnswer, Questions, Talk } from "./lib/talk.ts";

const run = promisify(execFile);
const ROUNDS = scaled(40);
const SUBMISSIONS = scaled(100);
const CONCURRENCY = [1, 2, 4];
const CALLS = scaled(5000);
/** The boxes give no sign when they are warm again. */
const REST_MS = 250;
const guestDir = join(import.meta.dirname, "..", "guest");
const BUNDLES = join(import.meta.dirname, "agents", "aivle");
const TASK = `
task: 1
title: One step
environment: tic-tac-toe
scoring: { by: win-rate, zero: 0, full: 1 }
cases:
  - { id: one, seed: 1, opponents: [first.py] }
`;

const milliseconds = (value: number): string => `${short(value)} ms`;
const rest = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, REST_MS));

async function zip(folder: string, file: string): Promise<string> {
  const made = new ZipFile();
  for (const name of readdirSync(folder)) made.addFile(join(folder, name), name);
  made.end();
  await finished(made.outputStream.pipe(createWriteStream(file)));
  return file;
}

/** Milliseconds of the bundle's own run. */
async function ownRun(folder: string, bin: string): Promise<number> {
  const began = performance.now();
  await run("bash", ["./bootstrap.sh"], { cwd: folder, env: { PATH: `${bin}:/usr/bin:/bin` } });
  return performance.now() - began;
}

async function ofTask(
  agents: Agents,
  dir: string,
): Promise<{ own: () => Promise<number>; graded: () => Promise<number> }> {
  const folder = join(dir, "task");
  mkdirSync(folder);
  writeFileSync(join(folder, "task.yaml"), TASK);
  cpSync(join(import.meta.dirname, "agents", "first.py"), join(folder, "first.py"));
  const task = await takeTask(folder, join(dir, "taken"));
  const agent = await agents.prepare("first.py");
  const boxes = new AgentBoxes(agents.host, {
    tier: "container",
    interpreters: { python: agents.python },
    guestDir,
    warm: 4,
  });
  const questions = new Questions();
  return {
    own: async () => {
      const began = performance.now();
      const child = agents.bare();
      const gone = new Promise((resolve) => child.once("close", resolve));
      await firstAnswer(new Talk(child), questions, agent.dir);
      const took = performance.now() - began;
      child.kill("SIGKILL");
      await gone;
      return took;
    },
    graded: async () => {
      await rest();
      const began = performance.now();
      const grade = await gradeAgent({ task, agent, boxes });
      if (grade.outcome.kind !== "completed") throw new Error(`the task was not graded: ${grade.outcome.detail}`);
      return performance.now() - began;
    },
  };
}

async function original(
  dir: string,
  zips: readonly string[],
  concurrency: number,
): Promise<{ seconds: number; firejail: boolean }> {
  const folder = mkdtempSync(join(dir, "original-"));
  const words = [
    join(import.meta.dirname, "peers", "aivle_worker.py"),
    ...zips,
    folder,
    `${SUBMISSIONS}`,
    `${concurrency}`,
  ];
  const child = spawn(process.env.BENCH_PYTHON ?? "python3", words, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  const code = await new Promise((end) => child.once("close", end));
  if (code !== 0) throw new Error(`the steps of aiVLE's worker ended with ${code}`);
  return JSON.parse(text);
}

async function many(grade: () => Promise<LegacyGrade>, concurrency: number): Promise<number> {
  const began = performance.now();
  let left = SUBMISSIONS;
  const lane = async (): Promise<void> => {
    while (left-- > 0) if ((await grade()).grade.value !== 2) throw new Error("a submission was graded wrongly");
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  return (performance.now() - began) / 1000;
}

async function main(): Promise<Report> {
  const dir = mkdtempSync(join(tmpdir(), "lanista-bench-grading-"));
  const figures: Figure[] = [];
  const goals: Goal[] = [];
  const notes: string[] = [];
  const why = missing("crun");
  if (why !== undefined) return { benchmark: "grading", figures, goals, notes: [why] };
  const agents = await Agents.open();
  try {
    const [grader, agent] = [
      await zip(join(BUNDLES, "grader"), join(dir, "grader.zip")),
      await zip(join(BUNDLES, "agent"), join(dir, "agent.zip")),
    ];
    const [both, bin] = [join(dir, "both"), join(dir, "bin")];
    cpSync(join(BUNDLES, "grader"), both, { recursive: true });
    cpSync(join(BUNDLES, "agent"), both, { recursive: true });
    mkdirSync(bin);
    symlinkSync(agents.python.path, join(bin, "python"));
    const boxes = new LegacyBoxes(agents.host, { tier: "container", python: agents.python, guestDir, warm: 2 });
    const limits = { ramBytes: 512 * 1024 * 1024, runSeconds: 60 };
    const grade = (): Promise<LegacyGrade> => gradeBundles({ boxes, grader, agent, limits, split: "require" });
    const task = await ofTask(agents, dir);
    const samples = await interleave(
      [
        { name: "bundles, bare", run: () => ownRun(both, bin) },
        {
          name: "bundles, split",
          run: async () => {
            await rest();
            const began = performance.now();
            await grade();
            return performance.now() - began;
          },
        },
        { name: "task's agent, bare", run: task.own },
        { name: "task", run: task.graded },
      ],
      ROUNDS,
    );
    const at = (name: string): number => median(samples.get(name)!);
    const values = Object.fromEntries([...samples].map(([name, of]) => [name, spread(of)]));
    figures.push({ what: "one submission, beginning to end", unit: "ms", values });
    goals.push(
      goal("overhead of a split pair, p50", at("bundles, split") - at("bundles, bare"), "≤", 300, milliseconds),
      goal("a whole task, its agents' run in it, p50", at("task"), "≤", 150, milliseconds),
    );
    for (const concurrency of CONCURRENCY) {
      const busy = new LegacyBoxes(agents.host, {
        tier: "container",
        python: agents.python,
        guestDir,
        warm: concurrency,
      });
      try {
        const graded = (): Promise<LegacyGrade> =>
          gradeBundles({ boxes: busy, grader, agent, limits, split: "require" });
        await graded();
        const ours = await many(graded, concurrency);
        const theirs = await original(dir, [grader, agent], concurrency);
        const name = theirs.firejail ? "aiVLE's steps" : "aiVLE's steps, no firejail";
        if (!theirs.firejail && concurrency === 1)
          notes.push("firejail is not installed: aiVLE's steps run without a sandbox");
        figures.push({
          what: `${SUBMISSIONS} submissions, ${concurrency} at a time`,
          unit: "s",
          values: { split: spread([ours]), [name]: spread([theirs.seconds]) },
        });
      } finally {
        await busy.close();
      }
    }
    const asked = await gradeBundles({ boxes, grader: withCalls(dir), agent, limits, split: "require" });
    const cost = asked.grade.cases[0]?.detail;
    const call = typeof cost === "number" ? cost : undefined;
    figures.push({
      what: "one call of the agent, across the boxes",
      unit: "µs",
      values: { split: call === undefined ? null : spread([call]) },
    });
    goals.push(goal("a call of the agent, p50", call, "≤", 150, (value) => `${short(value)} µs`));
    await boxes.close();
  } finally {
    await agents.close();
    rmSync(dir, { recursive: true, force: true });
  }
  return { benchmark: "grading", figures, goals, notes };
}

function withCalls(dir: string): string {
  const folder = join(dir, "calling");
  cpSync(join(BUNDLES, "grader"), folder, { recursive: true });
  writeFileSync(join(folder, "calls"), `${CALLS}`);
  return folder;
}

console.log(JSON.stringify(await main()));
