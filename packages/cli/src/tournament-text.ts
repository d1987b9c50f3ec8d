/** The report of a tournament, for people. */
import { followed } from "@lanista/arena/standings";
import type { TournamentMatch, TournamentResult } from "@lanista/arena/tournament";
import { unwrittenText } from "./outcome-text.ts";
import { type Column, table } from "./table.ts";
import { type Paint, printable } from "./terminal.ts";
import { plural, scoreText, secondsText } from "./units.ts";

const COLUMNS: readonly Column[] = [
  { title: "rank", align: "right" },
  { title: "agent" },
  { title: "points", align: "right" },
  { title: "played", align: "right" },
  { title: "won", align: "right" },
  { title: "drawn", align: "right" },
  { title: "lost", align: "right" },
  { title: "score", align: "right" },
  { title: "faults", align: "right" },
];

/** How many faults of ours, and matches with unwritten files, are told one by one. */
const TOLD = 8;

export function tournamentText(result: TournamentResult, paint: Paint): string {
  const options = Object.entries(result.options).map(([name, value]) => `${name}=${value}`);
  const facts = [
    [result.env, ...options].join(" "),
    plural(result.matches.length, "match", "matches"),
    plural(result.rounds, "round"),
    secondsText(result.wallSeconds),
    ...(result.seed === null ? [] : [`seed ${result.seed}`]),
  ];
  const rows = result.table.map((row) => [
    String(row.rank),
    row.rank === 1 ? paint("bold", printable(row.agent)) : printable(row.agent),
    scoreText(row.points),
    String(row.played),
    String(row.won),
    String(row.drawn),
    String(row.lost),
    scoreText(row.score),
    String(row.faults),
  ]);
  const parts = [paint("dim", facts.join(" · ")), table(COLUMNS, rows)];
  const faults = faultLines(result);
  if (faults.length > 0) parts.push(faults.join("\n"));
  const ours = result.matches.filter(({ result: { outcome } }) => outcome.kind === "infra_fault");
  if (ours.length > 0)
    parts.push(
      paint("red", `${plural(ours.length, "match", "matches")} ended by our fault, and count for nobody:`),
      some(ours, ({ number, result: { outcome } }) =>
        printable(`match ${number + 1}: ${outcome.kind === "infra_fault" ? outcome.detail : ""}`),
      ),
    );
  for (const { agent, infraFaults } of followed(result.table, result.matches))
    parts.push(
      paint(
        "yellow",
        printable(
          `Our faults follow ${agent}, who was in ${plural(infraFaults, "match", "matches")} of these: a person should look before the table is believed.`,
        ),
      ),
    );
  const unwritten = result.matches.filter((match) => match.result.unwritten.length > 0);
  if (unwritten.length > 0)
    parts.push(
      paint("red", `Files of ${plural(unwritten.length, "match", "matches")} are missing; the results stand:`),
      some(unwritten, ({ number, result: of }) => `match ${number + 1}: ${unwrittenText(of)}`),
    );
  if (result.cancelled) parts.push(paint("yellow", "Cancelled: the table holds what was played until then."));
  return parts.join("\n\n");
}

function some(matches: readonly TournamentMatch[], line: (match: TournamentMatch) => string): string {
  const lines = matches.slice(0, TOLD).map(line);
  if (matches.length > TOLD) lines.push(`… and ${matches.length - TOLD} more`);
  return lines.join("\n");
}

/** One line for each agent and kind of fault, with the first as an example. */
function faultLines({ agents, matches }: TournamentResult): string[] {
  const lines = new Map<string, { count: number; first: string }>();
  for (const match of matches) {
    const { outcome } = match.result;
    if (outcome.kind !== "agent_fault") continue;
    const guilty = outcome.seats.map((seat) => agents[match.agents[seat]!]!.name).join(" and ");
    const key = `${guilty} lost by ${outcome.fault}`;
    const last = outcome.detail.trim().split("\n").at(-1)!;
    const line = lines.get(key);
    if (line === undefined) lines.set(key, { count: 1, first: `match ${match.number + 1}: ${last}` });
    else line.count++;
  }
  return [...lines].map(([key, { count, first }]) =>
    printable(`${key} in ${plural(count, "match", "matches")}; ${first}`),
  );
}
