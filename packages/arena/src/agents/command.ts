import type { ReadOnlyMount } from "@lanista/sandbox/types";
import type { AgentLanguage } from "./types.ts";

/** An interpreter of the host, as `@lanista/sandbox/interpreters` finds it. */
export interface Interpreter {
  readonly path: string;
  /** The read-only mounts it needs where it is installed outside /usr. */
  readonly mounts: readonly ReadOnlyMount[];
}

export interface Interpreters {
  readonly python?: Interpreter;
  readonly javascript?: Interpreter;
}

/** What a sandbox is started with, and what is said to it first. */
export interface AgentCommand {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly mounts: readonly ReadOnlyMount[];
  /**
   * Written to standard input once the agent's files are in /agent, before the `start` message; empty for runners, one
   * line for executables. The line is not part of the protocol: the launcher takes it away before the agent runs.
   */
  readonly preface: string;
}

/** What is run in a box: whoever plays or is graded, or a task's judge. */
export type Role = "agent" | "judge";
const RUNNERS: Readonly<Record<Role, { readonly python: string; readonly javascript: string }>> = {
  agent: { python: "runner.py", javascript: "runner.mjs" },
  judge: { python: "judge_runner.py", javascript: "judge-runner.mjs" },
};

/** Where the sandbox shows the runners, and the agent's files. */
export const GUEST_DIR = "/guest";
export const AGENT_DIR = "/agent";

/** The host has no interpreter for an agent's language: a matter of the host, not of the agent. */
export class InterpreterMissingError extends Error {
  override readonly name = "InterpreterMissingError";
}

const common = { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: "/tmp", TMPDIR: "/tmp", LANG: "C.UTF-8" };
// Numerical libraries start a thread for each CPU they see, though a sandbox has its share of one, and each counts as a
// process against the limit. A hash seed that changes would let one agent play two different matches from one seed.
const python = {
  PYTHONHASHSEED: "0",
  OPENBLAS_NUM_THREADS: "1",
  OMP_NUM_THREADS: "1",
  MKL_NUM_THREADS: "1",
};

// JavaScript cannot duplicate a descriptor, so the shell gives it the protocol as 3 and 4 and takes 0 and 1 away.
const WITHOUT_STDIO = 'exec "$0" "$@" 3<&0 4>&1 </dev/null >&2';
// `read` takes the preface off byte by byte, so the start message is left for the program; should it not be one that can
// be executed, the shell says so in the agent's log and ends, which is the agent's fault to start.
const AFTER_PREFACE = 'read -r _ && cd "$1" && exec ./run';

/** The variables of a box whose program is in Python. */
export const pythonEnv: Readonly<Record<string, string>> = { ...common, ...python };

/**
 * How an agent of a language is started: the same for all agents of that language, so that a box can be warm before it
 * is known whose it will be. The order of events is
 *
 * 1. the box starts with this command and an empty /agent; a runner gets ready and waits on its standard input, the
 *    launcher of an executable waits for the preface;
 * 2. the host puts the agent's files into /agent, mode and all (`run` must keep its executable bit, and /agent must not
 *    be mounted noexec);
 * 3. the host writes `preface` and, right behind it, the `start` message, with `entry` of the PreparedAgent in it.
 *
 * `guestDir` is the host's folder of runners. Throws InterpreterMissingError.
 */
export function languageCommand(
  language: AgentLanguage,
  interpreters: Interpreters,
  guestDir: string,
  role: Role = "agent",
): AgentCommand {
  const guest: ReadOnlyMount = { source: guestDir, target: GUEST_DIR };
  if (language === "executable")
    return {
      argv: ["/bin/sh", "-c", AFTER_PREFACE, "run", AGENT_DIR],
      env: common,
      mounts: [],
      preface: '{"type":"files"}\n',
    };
  const interpreter = interpreters[language];
  if (interpreter === undefined)
    throw new InterpreterMissingError(
      language === "python"
        ? "no Python 3.8 or newer was found on this host for a Python agent; install one (Debian: python3)"
        : "no Node 20 or newer was found on this host for a JavaScript agent; install one (Debian: nodejs)",
    );
  const mounts = [...interpreter.mounts, guest];
  if (language === "python")
    return {
      argv: [interpreter.path, "-s", "-B", "-X", "utf8", `${GUEST_DIR}/python/${RUNNERS[role].python}`],
      env: pythonEnv,
      mounts,
      preface: "",
    };
  return {
    argv: ["/bin/sh", "-c", WITHOUT_STDIO, interpreter.path, `${GUEST_DIR}/javascript/${RUNNERS[role].javascript}`],
    env: common,
    mounts,
    preface: "",
  };
}

/** How an agent is started whose files are part of an image; `guestDir` is the host's folder of runners. */
export function imageCommand(guestDir: string): AgentCommand {
  return {
    // By the image's own PATH: where Python lies in it nobody knows.
    argv: ["/bin/sh", "-c", `exec python3 -s -B -X utf8 ${GUEST_DIR}/python/runner.py`],
    env: pythonEnv,
    mounts: [{ source: guestDir, target: GUEST_DIR }],
    preface: "",
  };
}
