/**
 * The kind `grade`: one attempt at grading a submission by its task's bundle. What it tells of itself beside the grade (why it
 * failed, which of the task's own agents was at fault) goes into its log, which is staff's: its outcome its student may read.
 */
import { BundleError, type PreparedAgent } from "@lanista/arena/agents/types";
import type { Contender } from "@lanista/arena/contender";
import { gradeAgent } from "@lanista/arena/grading/grade";
import type { Grade } from "@lanista/arena/grading/grade-types";
import { type GradePayload, gradePayload } from "../../jobs/task-payloads.ts";
import type { Workshop } from "../workshop.ts";
import { gradeLegacy, type LegacyDocument } from "./grade-legacy.ts";
import { jobGpus } from "./job-gpus.ts";
import { limitedTask } from "./limited-task.ts";
import type { Run, RunEnd } from "./runner.ts";

/** Throws what makes this worker unable to grade; of what is in the bundles it says nothing. */
export async function runGrade(run: Run, workshop: Workshop): Promise<RunEnd> {
  const payload = gradePayload.parse(run.payload);
  let grade: Grade | LegacyDocument;
  try {
    grade = await (payload.format === "aivle" ? gradeLegacy : graded)(run, workshop, payload);
  } catch (error) {
    run.signal.throwIfAborted();
    throw quiet(run, error instanceof Error ? error.message : String(error));
  }
  const { kind, detail } = grade.outcome;
  if (kind === "completed") return { outcome: { kind }, result: { grade } };
  if (kind === "agent_fault") {
    const fault = grade.cases.find((one) => one.outcome === kind)?.fault ?? "crash";
    return { outcome: { kind, seats: [0], fault }, result: { grade } };
  }
  throw quiet(run, detail ?? kind);
}

function quiet(run: Run, why: string): Error {
  run.log(0, Buffer.from(`${why}\n`));
  return new Error("a fault of ours or of the task's own; staff find it in the job's log");
}

async function graded(run: Run, workshop: Workshop, payload: GradePayload): Promise<Grade> {
  const gpus = jobGpus(run, payload.over);
  const taken = await workshop.task(run, payload.task);
  try {
    const task = limitedTask(taken.value, payload.over);
    const { memoryBytes, cpus } = task.manifest.limits;
    const { vramBytes } = payload.over;
    const wishes = { tier: payload.tier, limits: { memoryBytes, cpus, vramBytes }, gpus };
    const boxes = workshop.boxes(wishes);
    const { packages, environments } = workshop.gradingTools(wishes);
    const student = await studentOf(run, workshop, payload);
    try {
      return await gradeAgent({
        task,
        agent: student.agent,
        packages,
        environments,
        boxes: {
          guestDir: boxes.guestDir,
          judge: (program, extras) => boxes.judge(program, extras),
          contender: (agent, image, extras) => {
            const seat = (one: PreparedAgent): Contender => boxes.contender(one, image, extras);
            return agent === student.agent ? student.contender(seat) : seat(agent);
          },
        },
        signal: run.signal,
      });
    } finally {
      student.release();
    }
  } finally {
    taken.release();
  }
}

interface Student {
  readonly agent: PreparedAgent;
  contender(seat: (agent: PreparedAgent) => Contender): Contender;
  release(): void;
}

/** A bundle of which no agent can be made is the student's fault, in every case: its agent does not start. */
async function studentOf(run: Run, workshop: Workshop, { agent: digest, name }: GradePayload): Promise<Student> {
  try {
    const { value, release } = await workshop.agent(run, digest);
    const agent = { ...value, name };
    return { agent, contender: (seat) => seat(agent), release };
  } catch (error) {
    if (!(error instanceof BundleError)) throw error;
    const agent: PreparedAgent = { name, digest, language: "python", entry: "", dir: "", bytes: 0 };
    const contender = { name, digest, entry: "", open: () => Promise.reject(error) };
    return { agent, contender: () => contender, release: () => {} };
  }
}
