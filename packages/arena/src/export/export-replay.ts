/**
 * Makes one HTML page of a replay. The positions come from a re-run by the rules, so a replay that does not verify has no
 * page; the page itself knows no rules.
 */
import type { Environment, EnvironmentDefinition, State } from "@lanista/games/environment";
import type { Replay, ReplayEpisode } from "@lanista/games/replay-types";
import { type BuiltInStep, type Difference, verifyReplay } from "../replay-verify.ts";
import { cleanDetail } from "../seat-fault.ts";
import { boardOf, changedCells, chartColourOf, colourOf, decisiveCells, viewOf } from "./board-view.ts";
import { page } from "./page.ts";
import type { Frame, PageData, View } from "./page-data.ts";

export type ExportedReplay = { readonly ok: true; readonly html: string } | ({ readonly ok: false } & Difference);

function names(replay: Replay): string[] {
  return replay.header.seats.map((seat, index) => cleanDetail(seat.agent).replaceAll("\n", " ") || `seat ${index}`);
}

function number(value: number): string {
  return String(Math.round(value * 1e4) / 1e4).replace("-", "\u2212");
}

function stepCaption(env: Environment, step: BuiltInStep, who: readonly string[]): string {
  const acts = step.actions.flatMap((action, seat) => {
    if (action === null) return [];
    const fault = step.faults?.[seat] ?? null;
    const moved = `${who[seat]} plays ${env.actionName(action)}`;
    return [fault === null ? moved : `${moved}, at random after a fault (${fault})`];
  });
  const rewards = step.rewards === undefined ? "" : ` · rewards ${step.rewards.map(number).join(", ")}`;
  return acts.join(" · ") + rewards;
}

function guiltyText(episode: ReplayEpisode, who: readonly string[]): string {
  const faults = episode.forfeit?.faults ?? [];
  return faults.flatMap((fault, seat) => (fault === null ? [] : [`${who[seat]} forfeits by ${fault}`])).join(" and ");
}

class Frames {
  readonly episodes: Frame[][] = [];
  readonly #env: Environment;
  readonly #view: View;
  readonly #who: readonly string[];

  constructor(env: Environment, who: readonly string[]) {
    this.#env = env;
    this.#view = viewOf(env);
    this.#who = who;
  }

  get view(): View {
    return this.#view;
  }

  visit(state: State, episode: number, step: BuiltInStep | null): void {
    const board = boardOf(this.#env, this.#view, state);
    if (step === null) this.episodes[episode] = [];
    const frames = this.episodes[episode]!;
    const before = frames.at(-1);
    frames.push({
      board,
      changed: before === undefined ? [] : changedCells(before.board, board, this.#view),
      decisive: this.#env.ended(state) ? decisiveCells(board, this.#view) : [],
      caption: step === null ? "" : stepCaption(this.#env, step, this.#who),
      thinkMs: step === null ? this.#who.map(() => null) : step.thinkMs,
      fault: step?.faults?.some((fault) => fault !== null) ?? false,
    });
  }
}

function outcomeText(replay: Replay, who: readonly string[]): string {
  const { outcome, ranks, scores } = replay.final;
  if (outcome === "infra_fault") return "Stopped by a fault that was not the agents'";
  if (outcome === "cancelled") return "Cancelled";
  if (outcome === "agent_fault") return guiltyText(replay.episodes.at(-1)!, who);
  if (who.length === 1) return `${who[0]} scores ${number(scores[0] ?? 0)}`;
  const best = ranks.flatMap((rank, seat) => (rank === 1 ? [who[seat]] : []));
  return best.length === 1
    ? `${best[0]} wins`
    : best.length === who.length
      ? "A draw"
      : `${best.join(" and ")} share the first place`;
}

function resultText(episode: ReplayEpisode, who: readonly string[]): string {
  if (episode.end === null) return "did not end";
  if (episode.end.kind === "forfeit") return guiltyText(episode, who);
  const { returns } = episode.end;
  const cut = episode.end.kind === "truncated" ? " (truncated)" : "";
  if (who.length === 1) return `return ${number(returns[0]!)}${cut}`;
  const most = Math.max(...returns);
  const best = returns.flatMap((sum, seat) => (sum === most ? [who[seat]] : []));
  return (best.length === 1 ? `${best[0]} wins` : "a draw") + cut;
}

function pageData(replay: Replay, env: Environment, frames: Frames, who: readonly string[]): PageData {
  const { header, final, hash } = replay;
  const options = Object.entries(header.env.options).map(([name, value]) => `${name} ${value}`);
  const bank = header.limits.bank > 0 ? `, bank ${number(header.limits.bank)} s` : "";
  return {
    title: `${env.definition.title}: ${who.join(" – ")}`,
    subtitle: [env.definition.title, ...options].join(" · "),
    outcome: outcomeText(replay, who),
    facts: [
      ["Environment", `${header.env.id}, version ${header.env.version}`],
      ["Seed", String(header.seed)],
      ["Time", `${number(header.limits.move)} s a move${bank}`],
      [
        "Sandbox",
        header.sandbox === null ? "none was started" : cleanDetail(`${header.sandbox.tier}, ${header.sandbox.runtime}`),
      ],
      ["Engine", cleanDetail(header.engine)],
      ["Hash", hash],
    ],
    seats: who.map((name, seat) => {
      const score = final.scores[seat] ?? null;
      return {
        name,
        colour: colourOf(frames.view, seat),
        chart: chartColourOf(frames.view, seat),
        note: score === null ? "" : `score ${number(score)}`,
      };
    }),
    view: frames.view,
    episodes: replay.episodes.map((episode, index) => {
      const own = frames.episodes[index]!;
      const forfeit = episode.forfeit;
      const last = own.at(-1)!;
      const end: Frame[] =
        forfeit === null
          ? []
          : [{ ...last, changed: [], caption: guiltyText(episode, who), thinkMs: forfeit.thinkMs, fault: true }];
      return { frames: [...own, ...end], result: resultText(episode, who) };
    }),
  };
}

/** `environments`: by id, such as the registry's. A replay that the rules contradict has no page: the first difference is named. */
export function exportReplay(replay: Replay, environments: ReadonlyMap<string, EnvironmentDefinition>): ExportedReplay {
  const who = names(replay);
  let made: { env: Environment; frames: Frames } | undefined;
  const verdict = verifyReplay(replay, environments, (env) => {
    made = { env, frames: new Frames(env, who) };
    return made.frames;
  });
  if (!verdict.ok) return verdict;
  if (replay.episodes.length === 0)
    return { ok: false, episode: null, step: null, what: "no episode was begun: there is nothing to show" };
  return { ok: true, html: page(pageData(replay, made!.env, made!.frames, who)) };
}
