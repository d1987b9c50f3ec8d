/**
 * What a judge is given of a case that was played: the match as its replay says it was, with what each seat saw. The rules are
 * run once more for that, by the replay alone, so nothing in it comes from an agent but actions that were legal.
 */
import type { Environment } from "@lanista/games/environment";
import { environments } from "@lanista/games/registry";
import { parseReplay } from "@lanista/games/replay";
import type { Replay } from "@lanista/games/replay-types";
import { verifyReplay } from "../replay-verify.ts";
import { sha256 } from "../sha256.ts";

/** What a judge is sent at once, at most. */
export const MAX_RECORD = 64 * 1024 * 1024;

interface RecordedStep {
  /** By seat; null where it was not to act. */
  readonly actions: readonly unknown[];
  readonly rewards: readonly number[];
  /** By seat, flat, before the actions; a seat that was not to act saw this too, had it been asked. */
  readonly observations: readonly (number | readonly number[])[] | null;
}

interface RecordedEpisode {
  readonly steps: RecordedStep[];
  readonly end: string;
  readonly returns: readonly number[];
}

/** Of a bundled environment, whose rules are not here: without what was seen. */
function withoutViews({ episodes }: Replay): RecordedEpisode[] {
  return episodes.map(({ steps, end }) => ({
    steps: steps.map(({ actions, rewards }) => ({
      actions,
      rewards: rewards ?? actions.map(() => 0),
      observations: null,
    })),
    end: end?.kind ?? "none",
    returns: end?.returns ?? [],
  }));
}

/** The record as JSON; undefined where it would be over MAX_RECORD. Throws where the replay is not of this environment. */
export function recordOf(replayText: string, seat: number): string | undefined {
  const replay = parseReplay(replayText, sha256);
  const played = replay.header.env.bundle === undefined ? withViews(replay) : withoutViews(replay);
  if (played === undefined) return undefined;
  const { env, seed, seats } = replay.header;
  const json = JSON.stringify({ env, seed, seats: seats.length, seat, episodes: played });
  return json.length > MAX_RECORD ? undefined : json;
}

/** undefined where it would be over MAX_RECORD. */
function withViews(replay: Replay): RecordedEpisode[] | undefined {
  const { episodes, header } = replay;
  const seats = header.seats.length;
  const played: RecordedEpisode[] = [];
  let seen: RecordedStep["observations"] = [];
  let numbers = 0;
  const observe = (env: Environment, state: ReturnType<Environment["newState"]>): RecordedStep["observations"] =>
    Array.from({ length: seats }, (_, each) => {
      const view = new Float64Array(env.observationSize());
      env.observe(state, each, view);
      numbers += view.length;
      return env.info.observation.type === "Discrete" ? view[0]! : Array.from(view);
    });
  const verdict = verifyReplay(replay, environments, (env) => ({
    visit(state, episode, step) {
      // A number takes two bytes of JSON at least.
      if (numbers * 2 > MAX_RECORD) return;
      if (step === null) {
        const { end } = episodes[episode]!;
        played.push({ steps: [], end: end?.kind ?? "none", returns: end?.returns ?? [] });
      } else {
        const rewards = step.rewards ?? step.actions.map(() => 0);
        played.at(-1)!.steps.push({ actions: step.actions, rewards, observations: seen });
      }
      seen = observe(env, state);
    },
  }));
  if (!verdict.ok) throw new Error(`the replay of a case does not fit its environment: ${verdict.what}`);
  return numbers * 2 > MAX_RECORD ? undefined : played;
}
