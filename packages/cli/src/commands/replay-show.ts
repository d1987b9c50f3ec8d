import { type BuiltInStep, verifyReplay } from "@lanista/arena/replay-verify";
import type { Environment, State } from "@lanista/games/environment";
import { environments } from "@lanista/games/registry";
import type { BySeat, Replay } from "@lanista/games/replay-types";
import type { Context } from "../context.ts";
import { readReplay } from "../read-replay.ts";
import { type Column, table } from "../table.ts";
import { note, oneLine, type Paint, painter, writeJson, writeLine } from "../terminal.ts";
import { plural, scoreText, secondsText } from "../units.ts";

const COLUMNS: readonly Column[] = [
  { title: "seat", align: "right" },
  { title: "agent" },
  { title: "score", align: "right" },
  { title: "rank", align: "right" },
  { title: "moves", align: "right" },
  { title: "thought", align: "right" },
  { title: "faults" },
];

interface Position {
  readonly title: string;
  readonly board: string;
}

export async function replayShow(
  context: Context,
  file: string,
  options: { readonly all?: true; readonly json?: true },
): Promise<void> {
  const { terminal } = context;
  context.endBySignal();
  const replay = await readReplay(file);
  if (options.json) {
    writeJson(terminal, replay);
    return;
  }
  const paint = painter(terminal, terminal.stdout);
  const { env, seed } = replay.header;
  const given = Object.entries(env.options).map(([name, value]) => `${name}=${value}`);
  const episodes = plural(replay.episodes.length, "episode");
  writeLine(
    terminal,
    `${paint("dim", oneLine([[env.id, ...given].join(" "), episodes, `seed ${seed}`].join(" · ")))}\n`,
  );
  const { positions, difference } = replayPositions(replay);
  for (const { title, board } of options.all ? positions : positions.slice(-1))
    writeLine(terminal, `${paint("dim", title)}\n${board}\n`);
  writeLine(terminal, `${table(COLUMNS, seatRows(replay))}\n`);
  writeLine(terminal, outcomeLine(replay, paint));
  if (difference !== undefined)
    note(terminal, `The moves are not what the rules allow, so positions end early: ${oneLine(difference)}`);
}

/** The positions as far as the replay agrees with the rules. */
function replayPositions(replay: Replay): { positions: Position[]; difference: string | undefined } {
  const positions: Position[] = [];
  // Steps count from 0, as in what replay verify says.
  let number = -1;
  const verdict = verifyReplay(replay, environments, (env: Environment) => ({
    visit(state: State, episode: number, step: BuiltInStep | null) {
      number = step === null ? -1 : number + 1;
      const moves = step === null ? "the beginning" : `step ${number}: ${movesText(env, step)}`;
      positions.push({ title: `episode ${episode}, ${moves}`, board: env.render(state) });
    },
  }));
  return { positions, difference: verdict.ok ? undefined : verdict.what };
}

function movesText(env: Environment, step: BuiltInStep): string {
  return step.actions
    .flatMap((action, seat) => {
      if (action === null) return [];
      const fault = step.faults?.[seat];
      const substitute = fault === undefined || fault === null ? "" : ` (in its place, after ${fault})`;
      return [`seat ${seat} plays ${env.actionName(action)}${substitute}, ${step.thinkMs[seat]} ms`];
    })
    .join("; ");
}

function seatRows({ header, episodes, final }: Replay): string[][] {
  return header.seats.map(({ agent }, seat) => {
    const steps = episodes.flatMap((episode) => episode.steps).filter((step) => step.actions[seat] !== null);
    const forfeits = episodes.flatMap(({ forfeit }) => (forfeit === null ? [] : [forfeit]));
    const times = [...steps, ...forfeits].map((one) => one.thinkMs[seat] ?? 0);
    const faults = [...steps.map((step) => step.faults), ...forfeits.map((forfeit) => forfeit.faults)];
    const rank = final.ranks[seat] ?? null;
    return [
      String(seat),
      oneLine(agent),
      scoreText(final.scores[seat] ?? null),
      rank === null ? "–" : String(rank),
      String(steps.length),
      secondsText(times.reduce((sum, ms) => sum + ms, 0) / 1000),
      faultCounts(faults, seat),
    ];
  });
}

function faultCounts(faults: readonly (BySeat<string> | undefined)[], seat: number): string {
  const counts = new Map<string, number>();
  for (const bySeat of faults) {
    const fault = bySeat?.[seat] ?? null;
    if (fault !== null) counts.set(fault, (counts.get(fault) ?? 0) + 1);
  }
  return [...counts].map(([fault, count]) => (count === 1 ? fault : `${fault} × ${count}`)).join(", ");
}

function outcomeLine({ final, hash }: Replay, paint: Paint): string {
  return `outcome ${final.outcome}\n${paint("dim", `hash ${hash}`)}`;
}
