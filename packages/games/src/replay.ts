/**
 * Reads a replay's text. It comes from anybody: every line is checked, nothing is believed that the next line, the chain
 * or the digest contradicts. Whether the moves are what the rules allow is for a re-run to say.
 */

import { isAction } from "./replay-action.ts";
import { ReplayChain } from "./replay-chain.ts";
import { readBySeat, readFields, readHash, readHeader, readNumbers, readText, refuse } from "./replay-fields.ts";
import { MAX_REPLAY, MAX_REPLAY_LINE, MAX_REPLAY_STEPS } from "./replay-limits.ts";
import type { Replay, ReplayEpisode, ReplayFinal, ReplayForfeit, ReplayStep, Sha256 } from "./replay-types.ts";
import { REPLAY_FAULTS, ReplayError } from "./replay-types.ts";

const FINAL_START = '{"outcome":';
const DIGEST_MARK = ',"digest":"';

const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
const isTime = (value: unknown): value is number => isNumber(value) && value >= 0;
const isRank = (value: unknown): value is number => Number.isSafeInteger(value);
const isFault = (value: unknown): value is string => REPLAY_FAULTS.some((fault) => fault === value);

function parseLine(text: string, line: number): Record<string, unknown> {
  if (text.length > MAX_REPLAY_LINE) refuse(line, `longer than ${MAX_REPLAY_LINE} characters`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse(line, "not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return refuse(line, "not an object");
  // A key given twice is one text to this reader and another to one that takes the first: then one hash would name two matches.
  if (JSON.stringify(value) !== text) refuse(line, "not written as JSON.stringify writes it, each key once");
  return value as Record<string, unknown>;
}

function readStep(raw: Record<string, unknown>, seats: number, line: number): ReplayStep {
  readFields(raw, line, ["a", "t"], ["f", "r"]);
  const actions = readBySeat(raw.a, seats, isAction, line, '"a"');
  const thinkMs = readBySeat(raw.t, seats, isTime, line, '"t"');
  if (actions.every((action) => action === null)) refuse(line, "a step in which nobody acts");
  return {
    actions,
    thinkMs,
    ...(raw.f === undefined ? {} : { faults: readBySeat(raw.f, seats, isFault, line, '"f"') }),
    ...(raw.r === undefined ? {} : { rewards: readNumbers(raw.r, seats, line, '"r"') }),
  };
}

function readForfeit(raw: Record<string, unknown>, seats: number, line: number): ReplayForfeit {
  readFields(raw, line, ["forfeit", "t"]);
  const faults = readBySeat(raw.forfeit, seats, isFault, line, '"forfeit"');
  if (faults.every((fault) => fault === null)) refuse(line, "a forfeit in which nobody is at fault");
  return { faults, thinkMs: readBySeat(raw.t, seats, isTime, line, '"t"') };
}

const OUTCOMES = ["completed", "agent_fault", "infra_fault", "cancelled"] as const;
const ENDS = ["terminated", "truncated", "forfeit"] as const;

function oneOf<T extends string>(value: unknown, allowed: readonly T[], line: number, what: string): T {
  const found = allowed.find((one) => one === value);
  return found ?? refuse(line, `${what} must be one of ${allowed.join(", ")}`);
}

/** Throws ReplayError, which names the line. */
export function parseReplay(text: string, sha256: Sha256): Replay {
  if (text.length > MAX_REPLAY) throw new ReplayError(0, `longer than ${MAX_REPLAY} characters`);
  if (!text.endsWith("\n")) throw new ReplayError(0, "the end is missing: no newline after the last line");
  // Line by line: a list of all lines would let a small packed file of newlines use up the memory of who reads it.
  let end = text.indexOf("\n");
  const header = readHeader(parseLine(text.slice(0, end), 1));
  const seats = header.seats.length;
  const chain = new ReplayChain(header, sha256);
  const episodes: ReplayEpisode[] = [];
  let steps: ReplayStep[] = [];
  let forfeit: ReplayForfeit | null = null;
  let forfeited = false;

  let stepCount = 0;
  let line = 1;
  let last: string | undefined;

  while (last === undefined && end + 1 < text.length) {
    const from = end + 1;
    end = text.indexOf("\n", from);
    line++;
    const one = text.slice(from, end);
    if (one.startsWith(FINAL_START)) {
      last = one;
      continue;
    }
    const raw = parseLine(one, line);
    if (forfeited) refuse(line, "something after the end of a forfeited match");
    if (Object.hasOwn(raw, "a")) {
      if (forfeit !== null) refuse(line, "a step after a forfeit");
      const step = readStep(raw, seats, line);
      if (++stepCount > MAX_REPLAY_STEPS) refuse(line, `more than ${MAX_REPLAY_STEPS} steps`);
      steps.push(step);
      chain.step(step);
    } else if (Object.hasOwn(raw, "forfeit")) {
      if (forfeit !== null) refuse(line, "a second forfeit");
      forfeit = readForfeit(raw, seats, line);
      chain.forfeit(forfeit);
    } else if (Object.hasOwn(raw, "episode")) {
      readFields(raw, line, ["episode", "end", "returns", "hash"]);
      if (episodes.length === header.episodes) refuse(line, `more than ${header.episodes} episodes`);
      if (raw.episode !== episodes.length) refuse(line, `this should be the end of episode ${episodes.length}`);
      const ended = {
        kind: oneOf(raw.end, ENDS, line, '"end"'),
        returns: readNumbers(raw.returns, seats, line, '"returns"'),
      };
      if ((ended.kind === "forfeit") !== (forfeit !== null))
        refuse(line, "the end and the forfeit do not fit together");
      chain.episode(ended);
      if (raw.hash !== chain.hash) refuse(line, `the records of episode ${episodes.length} do not give this hash`);
      episodes.push({ steps, forfeit, end: ended });
      forfeited = forfeit !== null;
      steps = [];
      forfeit = null;
    } else refuse(line, "neither a step, nor a forfeit, nor the end of an episode");
  }

  if (last === undefined) throw new ReplayError(line, "the final line is missing: the file was cut off");
  if (end + 1 < text.length) refuse(line + 1, "something after the final line");
  const raw = parseLine(last, line);
  readFields(raw, line, ["outcome", "scores", "ranks", "hash", "digest"]);
  const final: ReplayFinal = {
    outcome: oneOf(raw.outcome, OUTCOMES, line, '"outcome"'),
    scores: readBySeat(raw.scores, seats, isNumber, line, '"scores"'),
    ranks: readBySeat(raw.ranks, seats, isRank, line, '"ranks"'),
  };
  if (forfeit !== null) refuse(line, "a forfeit without the end of its episode");
  const stopped = final.outcome === "infra_fault" || final.outcome === "cancelled";
  if (steps.length > 0) {
    if (!stopped) refuse(line, `episode ${episodes.length} has no end`);
    episodes.push({ steps, forfeit: null, end: null });
  }
  if (episodes.length > header.episodes) refuse(line, `more than ${header.episodes} episodes`);
  if (final.outcome === "completed" && episodes.length < header.episodes)
    refuse(line, `${header.episodes - episodes.length} of ${header.episodes} episodes are missing`);
  if ((final.outcome === "agent_fault") !== forfeited) refuse(line, "the outcome and the forfeit do not fit together");
  chain.final(final);
  if (raw.hash !== chain.hash)
    refuse(line, "the records do not give this hash: something was changed, added or taken away");
  const mark = text.lastIndexOf(DIGEST_MARK);
  if (readText(raw.digest, line, '"digest"') !== sha256(text.slice(0, mark)))
    refuse(line, "the digest is not the file's: something was changed");
  if (text.slice(mark) !== `${DIGEST_MARK}${raw.digest}"}\n`) refuse(line, "the digest must be the last key");
  return { header, episodes, final, hash: readHash(raw.hash, line) };
}
