/**
 * Reads golden files (scripts/goldens/golden.py tells their form) and replays them through our rules. Differences are
 * returned, not thrown, so that a test can also show that wrong rules have some.
 */
import { readdirSync, readFileSync } from "node:fs";
import { ScriptedChance } from "../src/chance.ts";
import { type Environment, type EnvironmentDefinition, makeEnvironment, type State } from "../src/environment.ts";
import { perft } from "./perft.ts";

const FOLDER = new URL("../goldens/", import.meta.url);
/** Floats may differ from the other implementation's by this much. */
const TOLERANCE = 1e-9;

type Fields = ReadonlyMap<string, string>;

interface Statement {
  readonly line: number;
  /** Absent in the episode's first statement. */
  readonly actions?: readonly number[];
  readonly fields: Fields;
}

interface Episode {
  readonly statements: readonly Statement[];
  /** The outcomes that the environment draws, of all statements together. */
  readonly chance: readonly number[];
  readonly end: string;
  readonly endFields: Fields;
}

/** The episodes of one environment with the same options. */
export interface GoldenSection {
  readonly file: string;
  readonly id: string;
  readonly options: { readonly [name: string]: unknown };
  readonly perft: readonly number[];
  readonly episodes: readonly Episode[];
}

function numbers(text: string | undefined): number[] {
  if (text === undefined || text === "") return [];
  const values = text.split(",").map(Number);
  if (values.some(Number.isNaN)) throw new Error(`not numbers: ${text}`);
  return values;
}

function expand(text: string): number[] {
  const all: number[] = [];
  for (const part of text === "" ? [] : text.split(",")) {
    const [low, high = low] = part.split("-").map(Number);
    for (let n = low!; n <= high!; n++) all.push(n);
  }
  return all;
}

function parseFields(words: readonly string[]): Fields {
  const fields = new Map(words.map((word) => [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)]));
  for (const key of fields.keys())
    if (!/^(chance|seat|legal|reward|return|board|obs\d)$/.test(key)) throw new Error(`no such field: ${key}`);
  return fields;
}

/** Throws an Error that names the line if the file is not of the form. */
export function parseGolden(file: string, text: string): GoldenSection[] {
  type Growing<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };
  const sections: Growing<GoldenSection>[] = [];
  let episode: Growing<Episode> | undefined;
  for (const [index, whole] of text.split("\n").entries()) {
    const line = index + 1;
    const words = whole.trim().split(" ");
    const head = words[0]!;
    const section = sections.at(-1);
    if (head === "" || head.startsWith("#")) continue;
    if (head === "env") {
      sections.push({ file, id: words[1]!, options: JSON.parse(words.slice(2).join(" ")), perft: [], episodes: [] });
    } else if (head === "perft" && section) {
      section.perft = numbers(words[1]);
    } else if (head === "episode" && section) {
      const fields = parseFields(words.slice(1));
      episode = {
        statements: [{ line, fields }],
        chance: numbers(fields.get("chance")),
        end: "",
        endFields: new Map(),
      };
      section.episodes.push(episode);
    } else if (head === "end" && episode) {
      episode.end = words[1]!;
      episode.endFields = parseFields(words.slice(2));
      episode = undefined;
    } else if (episode) {
      const fields = parseFields(words.slice(1));
      episode.statements.push({ line, actions: numbers(head), fields });
      episode.chance.push(...numbers(fields.get("chance")));
    } else {
      throw new Error(`${file}:${line}: a statement out of its place: ${whole}`);
    }
  }
  if (episode) throw new Error(`${file}: the last episode has no end`);
  return sections;
}

/** Every section of every golden file that is of the environment `id`. */
export function readGoldens(id: string): GoldenSection[] {
  const files = readdirSync(FOLDER).filter((name) => name.endsWith(".txt"));
  const sections = files.flatMap((name) => parseGolden(name, readFileSync(new URL(name, FOLDER), "utf8")));
  return sections.filter((section) => section.id === id);
}

function differ(a: readonly number[], b: readonly number[]): boolean {
  return a.length !== b.length || a.some((value, i) => !(Math.abs(value - b[i]!) <= TOLERANCE));
}

/** What seat `seat` would observe of a board where the pieces of seat 0 are x and those of seat 1 o: own ones, then the other's. */
function planes(board: string, seat: number): number[] {
  const [own, other] = seat === 0 ? "xo" : "ox";
  return Array.from(board.replaceAll("/", "")).flatMap((cell) => [cell === own ? 1 : 0, cell === other ? 1 : 0]);
}

function compareBoard(env: Environment, state: State, fields: Fields): string[] {
  const board = fields.get("board");
  if (board === undefined) return [];
  const rows = board.split("/");
  const { observation } = env.info;
  const shape = [rows.length, rows[0]!.length, 2].join();
  if (observation.type !== "Box" || observation.shape.join() !== shape || /[^xo./]/.test(board))
    throw new Error(`not a board of ${env.definition.id}: ${board}`);
  const seen = new Float64Array(env.observationSize());
  return [0, 1].flatMap((seat) => {
    env.observe(state, seat, seen);
    const theirs = planes(board, seat);
    return differ(Array.from(seen), theirs) ? `seat ${seat} does not observe the board ${board}` : [];
  });
}

function compareState(env: Environment, state: State, { fields, actions }: Statement): string[] {
  const found: string[] = [];
  const expect = (what: string, ours: readonly number[], theirs: readonly number[]) => {
    if (differ(ours, theirs)) found.push(`${what} is ${ours.join(",")}, but should be ${theirs.join(",")}`);
  };
  const seats = Array.from({ length: env.info.seats }, (_, seat) => seat);
  const seat = fields.get("seat");
  if (seat !== undefined) expect("the seat to act", [env.seatToAct(state)], [Number(seat)]);
  const legal = fields.get("legal");
  if (legal !== undefined) {
    const mask = new Uint8Array(env.info.actions);
    env.mask(state, Number(seat), mask);
    expect(
      "the list of legal actions",
      Array.from(mask.keys()).filter((action) => mask[action] === 1),
      expand(legal),
    );
  }
  const rewards = fields.get("reward");
  if (actions)
    expect(
      "the reward",
      seats.map((s) => env.reward(state, s)),
      rewards ? numbers(rewards) : seats.map(() => 0),
    );
  for (const s of seats) {
    const theirs = fields.get(`obs${s}`);
    if (theirs === undefined) continue;
    const ours = new Float64Array(env.observationSize());
    env.observe(state, s, ours);
    expect(`seat ${s}'s observation`, Array.from(ours), numbers(theirs));
  }
  return found.concat(compareBoard(env, state, fields));
}

/** The first difference of an episode, or nothing. What the rules throw is a difference too. */
function replayEpisode(env: Environment, file: string, episode: Episode): string | undefined {
  const chance = new ScriptedChance(episode.chance);
  const state = env.newState();
  const returns = new Array<number>(env.info.seats).fill(0);
  let last = 0;
  try {
    for (const [index, statement] of episode.statements.entries()) {
      last = statement.line;
      if (index === 0) env.reset(state, chance);
      else if (env.ended(state)) return `${file}:${last}: our episode ended before this step`;
      else if (env.turn === "sequential") env.step(state, statement.actions![0]!, state, chance);
      else env.stepJoint(state, statement.actions!, state, chance);
      for (let seat = 0; seat < returns.length; seat++) returns[seat]! += env.reward(state, seat);
      const found = compareState(env, state, statement);
      if (found.length > 0) return `${file}:${last}: ${found.join("; ")}`;
    }
    const found = compareBoard(env, state, episode.endFields);
    if (found.length > 0) return `${file}:${last}: ${found.join("; ")}`;
  } catch (error) {
    return `${file}:${last}: ${error}`;
  }
  const kind = env.terminated(state) ? "terminated" : env.truncated(state) ? "truncated" : "open";
  if (kind !== episode.end)
    return `${file}:${last}: our episode is ${kind} after this step, but should be ${episode.end}`;
  if (chance.taken !== episode.chance.length) return `${file}:${last}: not every chance outcome was drawn`;
  const theirs = episode.endFields.get("return");
  if (theirs !== undefined && differ(returns, numbers(theirs)))
    return `${file}:${last}: the returns are ${returns.join(",")}, but should be ${theirs}`;
  return undefined;
}

/**
 * Replays sections through `definition`'s rules. Lists the first difference of each episode; in a section where no episode
 * differs, also those of the perft table.
 */
export function replayGoldens(definition: EnvironmentDefinition, sections: readonly GoldenSection[]): string[] {
  const differences: string[] = [];
  for (const section of sections) {
    const env = makeEnvironment(definition, section.options);
    const found = section.episodes.flatMap((episode) => replayEpisode(env, section.file, episode) ?? []);
    // Counting is slow, and tells nothing more of rules that differ already.
    if (found.length === 0)
      for (const [index, count] of section.perft.entries()) {
        const ours = perft(env, index + 1);
        if (ours !== count) found.push(`${section.file}: perft ${index + 1} is ${ours}, but should be ${count}`);
      }
    differences.push(...found);
  }
  return differences;
}
