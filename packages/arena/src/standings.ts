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
  /** Those of them in which every attempt failed in this agent's own box: a person should look. */
  readonly setAside: number;
}

export interface Meeting {
  readonly agents: readonly number[];
  readonly result: MatchResult;
}

type Row = { -readonly [K in keyof Standing]: Standing[K] };

/**
 * By points for each match played, so that a match lost to a fault of ours takes nothing from whoever would have won it; then by
 * points; then by the score for each match played.
 */
function order(a: Row, b: Row): number {
  const [of, to] = [Math.max(1, a.played), Math.max(1, b.played)];
  return b.points * of - a.points * to || b.points - a.points || b.score / to - a.score / of;
}

/** The best first. */
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
      setAside: 0,
    }),
  );
  for (const { agents, result } of meetings)
    for (const [seat, index] of agents.entries()) add(rows[index]!, result, seat);
  rows.sort((a, b) => order(a, b) || a.index - b.index);
  for (const [at, row] of rows.entries()) {
    const before = rows[at - 1];
    row.rank = before !== undefined && order(before, row) === 0 ? before.rank : at + 1;
  }
  return rows;
}

function add(row: Row, result: MatchResult, seat: number): void {
  const { outcome, seats } = result;
  if (outcome.kind === "cancelled") return;
  if (outcome.kind === "infra_fault") {
    row.infraFaults++;
    if (outcome.seat === seat) row.setAside++;
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

/**
 * The agents whom the faults of ours follow: those in whose box all attempts at a match failed, and the one agent that took
 * part in every match, of at least two, that ended so. It may be chance, or one who knows how to make his losses look like ours.
 */
export function followed(table: readonly Standing[], meetings: readonly Meeting[]): Standing[] {
  const ours = meetings.filter(({ result }) => result.outcome.kind === "infra_fault").length;
  const always = ours < 2 ? [] : table.filter((row) => row.infraFaults === ours);
  return table.filter((row) => row.setAside > 0 || (always.length === 1 && always[0] === row));
}
