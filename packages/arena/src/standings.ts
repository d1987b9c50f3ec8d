/** The table of a tournament. Only matches that an agent could win or lose count in it. */
import type { MatchResult } from "./result.ts";

export interface Standing {
  /** The agent's place in the tournament's list. */
  readonly index: number;
  readonly agent: string;
  /** 1 is best; equals share the better rank. */
  readonly rank: number;
  readonly played: number;
  readonly won: number;
  readonly drawn: number;
  readonly lost: number;
  /** A win is 1, a draw ½. */
  readonly points: number;
  /** Sum of the matches' scores. */
  readonly score: number;
  /** Faults in all its matches, lost by them or not. */
  readonly faults: number;
  /** Matches that ended by a fault of ours: no loss, and not counted as played. */
  readonly infraFaults: number;
}

export interface Meeting {
  readonly agents: readonly number[];
  readonly result: MatchResult;
}

type Row = { -readonly [K in keyof Standing]: Standing[K] };

/** Sorted by points, then by score. */
export function standings(names: readonly string[], meetings: readonly Meeting[]): Standing[] {
  const rows = names.map(
    (agent, index): Row => ({
      index,
      agent,
      rank: 0,
      played: 0,
      won: 0,
      drawn: 0,
      lost: 0,
      points: 0,
      score: 0,
      faults: 0,
      infraFaults: 0,
    }),
  );
  for (const { agents, result } of meetings)
    for (const [seat, index] of agents.entries()) add(rows[index]!, result, seat);
  rows.sort((a, b) => b.points - a.points || b.score - a.score || a.index - b.index);
  for (const [at, row] of rows.entries()) {
    const before = rows[at - 1];
    row.rank =
      before !== undefined && before.points === row.points && before.score === row.score ? before.rank : at + 1;
  }
  return rows;
}

function add(row: Row, result: MatchResult, seat: number): void {
  const { outcome, seats } = result;
  if (outcome.kind === "cancelled") return;
  if (outcome.kind === "infra_fault") {
    row.infraFaults++;
    return;
  }
  const own = seats[seat]!;
  row.played++;
  row.faults += own.faults;
  row.score += own.score ?? 0;
  if (seats.length === 1) return;
  const guilty = outcome.kind === "agent_fault" && outcome.seats.includes(seat);
  const first = seats.filter((one) => one.rank === 1).length;
  if (guilty || own.rank !== 1) row.lost++;
  else if (first > 1) row.drawn++;
  else row.won++;
  row.points = row.won + row.drawn / 2;
}
