/** The report of one match, for people. */
import type { MatchResult, MatchStamp } from "@lanista/arena/result";
import { outcomeText, unwrittenText } from "./outcome-text.ts";
import { type Column, table } from "./table.ts";
import { type Paint, printable } from "./terminal.ts";
import { bytesText, plural, scoreText, secondsText } from "./units.ts";

const COLUMNS: readonly Column[] = [
  { title: "seat", align: "right" },
  { title: "agent" },
  { title: "score", align: "right" },
  { title: "rank", align: "right" },
  { title: "faults" },
  { title: "CPU", align: "right" },
  { title: "memory", align: "right" },
];

const STYLES = { completed: "green", agent_fault: "yellow", infra_fault: "red", cancelled: "dim" } as const;

/** `board`: the last position, as the environment renders it; undefined where there was none. */
export function matchText(result: MatchResult, board: string | undefined, paint: Paint): string {
  const options = Object.entries(result.options).map(([name, value]) => `${name}=${value}`);
  const facts = [
    [result.env, ...options].join(" "),
    plural(result.episodes, "episode"),
    plural(result.steps, "step"),
    secondsText(result.wallSeconds),
    `seed ${result.seed}`,
  ];
  const rows = result.seats.map((seat, i) => [
    String(i),
    seat.rank === 1 ? paint("bold", printable(seat.agent)) : printable(seat.agent),
    scoreText(seat.score),
    seat.rank === null ? "–" : String(seat.rank),
    faultsText(seat.faultKinds),
    secondsText(seat.cpuSeconds),
    bytesText(seat.peakMemoryBytes),
  ]);
  const parts = [paint("dim", facts.join(" · "))];
  if (board !== undefined) parts.push(board);
  parts.push(table(COLUMNS, rows), paint(STYLES[result.outcome.kind], printable(outcomeText(result))));
  const last = endnotes(result);
  if (last.length > 0) parts.push(paint("dim", last.join("\n")));
  if (result.unwritten.length > 0) parts.push(paint("red", unwrittenText(result)));
  return parts.join("\n\n");
}

function endnotes({ sandbox, replay, seats, attempts, environment }: MatchResult): string[] {
  const notes: string[] = [];
  if (attempts > 1) notes.push(`played ${attempts} times, for faults that were not the agents'`);
  if (sandbox !== null)
    notes.push(
      sandbox.tier === "none"
        ? "sandbox  none: the agents could do whatever you can"
        : `sandbox  ${sandbox.tier} (${runtimeText(sandbox)}, cgroup ${sandbox.cgroup}${sandbox.rootless ? ", without root" : ""}${rootsText(seats)})`,
    );
  if (environment !== undefined) notes.push(`bundle   ${environment.bundle}, in a sandbox of its own`);
  if (replay.file !== null) notes.push(`replay   ${replay.file}`);
  for (const seat of seats) if (seat.log !== null) notes.push(`log      ${seat.log}`);
  if (environment !== undefined && environment.log !== null) notes.push(`log      ${environment.log}`);
  return notes;
}

/** The images that were roots, each once. */
function rootsText(seats: MatchResult["seats"]): string {
  const roots = new Set(seats.flatMap(({ root }) => root ?? []));
  return [...roots].map((root) => `, image ${root.slice(0, 19)}…`).join("");
}

/** Runtimes print their version as "crun 1.8.1" or as "1.1.5". */
function runtimeText({ runtime, runtimeVersion }: MatchStamp): string {
  return runtimeVersion.startsWith(runtime) ? runtimeVersion : `${runtime} ${runtimeVersion}`;
}

function faultsText(kinds: MatchResult["seats"][number]["faultKinds"]): string {
  return Object.entries(kinds)
    .map(([fault, count]) => (count === 1 ? fault : `${fault} × ${count}`))
    .join(", ");
}
