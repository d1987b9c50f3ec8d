/**
 * How many matches each rule of pairing needs until ratings have the order of known strengths, and how right the orders of
 * openskill and Bradley–Terry are then. Prints a table to standard error and JSON to standard output. Pure computing, and
 * the same on every machine.
 */
import { PAIRING_RULES, type PairingRule, type SimulationResult, simulate } from "@lanista/server/ladder/simulation";

const TARGET = 0.9;
const RUNS = Number(process.env.BENCH_RUNS ?? 20);
const STRIDE = 20;

const FIELDS = [
  { name: "20 agents, 44 Elo apart", agents: 20, spacing: 1.5, drawShare: 0, matches: 1000 },
  { name: "20 agents, 74 Elo apart, a third drawn", agents: 20, spacing: 2.5, drawShare: 1 / 3, matches: 1000 },
  { name: "50 agents, 30 Elo apart", agents: 50, spacing: 1, drawShare: 0, matches: 2500 },
] as const;
const ORDERS = ["board", "mu", "bradleyTerry"] as const;

interface Row {
  readonly field: string;
  readonly rule: PairingRule;
  readonly order: (typeof ORDERS)[number];
  /** Matches after which the mean of all runs' Kendall tau stays at the target; null: never. */
  readonly needed: number | null;
  /** The mean tau at a quarter, half, and the end of the matches. */
  readonly tau: readonly number[];
}

function measure(field: (typeof FIELDS)[number], rule: PairingRule): Row[] {
  const strengths = Array.from({ length: field.agents }, (_, agent) => field.spacing * agent);
  const { drawShare, matches } = field;
  const runs = Array.from({ length: RUNS }, (_, seed) =>
    simulate({ rule, strengths, drawShare, matches, stride: STRIDE, seed }),
  );
  return ORDERS.map((order) => {
    const mean = meanOf(runs, order);
    const last = mean.findLastIndex((tau) => tau < TARGET);
    const needed = last === mean.length - 1 ? null : (last + 2) * STRIDE;
    const tau = [0.25, 0.5, 1].map((part) => mean[Math.round(mean.length * part) - 1]!);
    return { field: field.name, rule, order, needed, tau };
  });
}

function meanOf(runs: readonly SimulationResult[], order: (typeof ORDERS)[number]): number[] {
  const [first] = runs;
  return first![order].map((_, at) => runs.reduce((sum, run) => sum + run[order][at]!, 0) / runs.length);
}

const rows: Row[] = [];
const write = (cells: readonly (string | number)[], widths: readonly number[]): void => {
  console.error(cells.map((cell, at) => String(cell)[at < 2 ? "padEnd" : "padStart"](widths[at]!)).join("  "));
};
for (const field of FIELDS) {
  const widths = [18, 14, 10, 8, 8, 8];
  console.error(`\n${field.name}; ${RUNS} runs; matches until the mean tau is ${TARGET}`);
  write(["pairing", "order", "matches", "tau ¼", "tau ½", "tau 1"], widths);
  for (const rule of PAIRING_RULES)
    for (const row of measure(field, rule)) {
      rows.push(row);
      write([rule, row.order, row.needed ?? "never", ...row.tau.map((tau) => tau.toFixed(3))], widths);
    }
}
console.log(JSON.stringify({ target: TARGET, runs: RUNS, rows }, null, 2));
