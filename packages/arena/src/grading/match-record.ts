/**
 * What a judge is given of a case that was played: the match as its replay says it was, with what each seat saw. The environment is
 * run once more for that, by the replay alone, so nothing in it comes from an agent but actions that were legal.
 */
import { parseReplay } from "@lanista/games/replay";
import type { ReplayEpisode } from "@lanista/games/replay-types";
import { EnvironmentFault, type EpisodeSource } from "../episodes/episodes.ts";
import { verifyReplayIn } from "../replay-verify.ts";
import { sha256 } from "../sha256.ts";

/** What a judge is sent at once, at most. */
export const MAX_RECORD = 64 * 1024 * 1024;

/** An episode's JSON, step by step. Observations are JSON already: by seat, before the actions, null where nothing was shown. */
class EpisodeText {
  readonly #episode: ReplayEpisode;
  readonly #steps: string[] = [];

  constructor(episode: ReplayEpisode) {
    this.#episode = episode;
  }

  /** Gives back its length. */
  step(observations: readonly (string | null)[]): number {
    const { actions, rewards } = this.#episode.steps[this.#steps.length]!;
    const earned = rewards ?? actions.map(() => 0);
    const seen = observations.map((one) => one ?? "null").join(",");
    const text = `{"actions":${JSON.stringify(actions)},"rewards":${JSON.stringify(earned)},"observations":[${seen}]}`;
    this.#steps.push(text);
    return text.length;
  }

  get text(): string {
    const { end } = this.#episode;
    const { kind = "none", returns = [] } = end ?? {};
    return `{"steps":[${this.#steps.join(",")}],"end":${JSON.stringify(kind)},"returns":${JSON.stringify(returns)}}`;
  }
}

/**
 * The record as JSON; undefined where it would be over MAX_RECORD. Throws EnvironmentFault, also where a bundled environment does not
 * give the same match again, and an Error where rules of ours do not.
 */
export async function recordOf(
  replayText: string,
  seat: number,
  source: EpisodeSource,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const replay = parseReplay(replayText, sha256);
  const seats = source.views.map((_, each) => each);
  const played: EpisodeText[] = [];
  let seen: (string | null)[] = [];
  let length = 0;
  const verdict = await verifyReplayIn(replay, source, {
    ...(signal === undefined ? {} : { signal }),
    visit: (episodes, episode, step) => {
      if (length > MAX_RECORD) return;
      if (step === null) played.push(new EpisodeText(replay.episodes[episode]!));
      else length += played.at(-1)!.step(seen);
      seen = seats.map((each) => episodes.seen(each));
    },
  });
  if (!verdict.ok) {
    const what = `the replay of a case does not fit its environment: ${verdict.what}`;
    if (source.bundle === undefined) throw new Error(what);
    throw new EnvironmentFault(`the environment was at fault: it does not give the same match again: ${verdict.what}`);
  }
  if (length > MAX_RECORD) return undefined;
  const { env, seed } = replay.header;
  const head = JSON.stringify({ env, seed, seats: seats.length, seat }).slice(0, -1);
  const json = `${head},"episodes":[${played.map(({ text }) => text).join(",")}]}`;
  return json.length > MAX_RECORD ? undefined : json;
}
