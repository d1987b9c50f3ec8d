/** What each way of using something up must end as, under a tight limit; and that it is harmless under a roomy one. */
import type { Cause, Limits } from "@lanista/sandbox/types";

export const MiB = 1024 * 1024;

export interface ExhaustionCase {
  /** A function of exhaust.py. */
  readonly thing: string;
  readonly amount: number;
  readonly tight: Partial<Limits>;
  readonly cause: Cause["kind"];
  readonly roomy: Partial<Limits>;
  /** What the program prints where it reaches its amount. */
  readonly reached: RegExp;
}

const memory = (thing: string, amount = 120 * MiB, more: Partial<Limits> = {}): ExhaustionCase => ({
  thing,
  amount,
  tight: { ...more, memoryBytes: 64 * MiB },
  cause: "memory",
  roomy: { ...more, memoryBytes: 512 * MiB },
  reached: /^1[12]\d$/,
});

export const CASES: Readonly<Record<string, readonly ExhaustionCase[]>> = {
  "fork bomb": [
    { thing: "fork_bomb", amount: 100, tight: { pids: 20 }, cause: "pids", roomy: { pids: 1000 }, reached: /^100$/ },
    {
      thing: "fork_tree",
      amount: 60,
      tight: { pids: 20 },
      cause: "pids",
      roomy: { pids: 1000 },
      reached: /last generation/,
    },
  ],
  threads: [
    { thing: "threads", amount: 100, tight: { pids: 20 }, cause: "pids", roomy: { pids: 1000 }, reached: /^100$/ },
  ],
  "memory by malloc, mmap, tmpfs and page cache": [
    memory("malloc"),
    memory("anonymous_mmap"),
    memory("memory_in_children"),
    memory("tmpfs", 120 * MiB, { scratchBytes: 256 * MiB }),
    memory("shared_memory", 120 * MiB, { shmBytes: 256 * MiB }),
    memory("memory_file"),
    memory("socket_buffers", 120 * MiB, { openFiles: 8192 }),
  ],
  "disk bytes and inodes": [
    {
      thing: "tmpfs",
      amount: 48 * MiB,
      tight: { scratchBytes: 16 * MiB },
      cause: "scratch",
      roomy: { scratchBytes: 64 * MiB },
      reached: /^48$/,
    },
    {
      thing: "tmpfs_deleted",
      amount: 48 * MiB,
      tight: { scratchBytes: 16 * MiB },
      cause: "scratch",
      roomy: { scratchBytes: 64 * MiB },
      reached: /^48$/,
    },
    {
      thing: "inodes",
      amount: 1000,
      tight: { scratchInodes: 300 },
      cause: "scratch",
      roomy: { scratchInodes: 4000 },
      reached: /^1000$/,
    },
    {
      thing: "folders",
      amount: 600,
      tight: { scratchInodes: 300 },
      cause: "scratch",
      roomy: { scratchInodes: 4000 },
      reached: /^600$/,
    },
  ],
  "stdout and stderr floods": [
    {
      thing: "stdout",
      amount: 40 * MiB,
      tight: { outputBytes: MiB },
      cause: "output",
      roomy: { outputBytes: 64 * MiB },
      reached: /x/,
    },
    {
      thing: "stderr",
      amount: 40 * MiB,
      tight: { outputBytes: MiB },
      cause: "output",
      roomy: { outputBytes: 64 * MiB },
      reached: /all written/,
    },
    {
      thing: "both_outputs",
      amount: 40 * MiB,
      tight: { outputBytes: MiB },
      cause: "output",
      roomy: { outputBytes: 64 * MiB },
      reached: /x/,
    },
  ],
  "a log line of 1 GB": [
    {
      thing: "stderr_one_line",
      amount: 1024 * MiB,
      tight: { outputBytes: 4 * MiB },
      cause: "output",
      roomy: { outputBytes: 1100 * MiB },
      reached: /all written/,
    },
  ],
  "a busy loop": [
    {
      thing: "busy",
      amount: 0.9,
      tight: { cpuSeconds: 0.5 },
      cause: "cpuTime",
      roomy: { cpuSeconds: 30 },
      reached: /done/,
    },
    {
      thing: "busy_children",
      amount: 0.9,
      tight: { cpuSeconds: 0.5 },
      cause: "cpuTime",
      roomy: { cpuSeconds: 30 },
      reached: /done/,
    },
    {
      thing: "busy_dead_children",
      amount: 0.9,
      tight: { cpuSeconds: 0.5 },
      cause: "cpuTime",
      roomy: { cpuSeconds: 30 },
      reached: /done/,
    },
  ],
  "a sleep": [
    {
      thing: "sleep",
      amount: 1.5,
      tight: { wallSeconds: 1 },
      cause: "wallTime",
      roomy: {},
      reached: /done/,
    },
    {
      thing: "closes_output",
      amount: 1.5,
      tight: { wallSeconds: 1 },
      cause: "wallTime",
      roomy: {},
      reached: /^$/,
    },
  ],
  "one byte a second": [
    {
      thing: "one_byte_a_second",
      amount: 2,
      tight: { wallSeconds: 1 },
      cause: "wallTime",
      roomy: {},
      reached: /done/,
    },
  ],
};
