import { execFileSync } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, expect, test } from "vitest";
import { converse } from "./testing/agent-files.ts";
import { PARTS } from "./testing/spaces.ts";

const READY = { type: "ready", protocol: 1 };
const board = { observation: [1, 2, 3, 4, 5, 6], mask: [0, 1, 1] };

/** The Node that runs this test, and the host's own where it is another that will do. */
const nodes = [process.execPath, ...(process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, "node"))]
  .filter((path) => existsSync(path))
  .map((path) => ({
    path: realpathSync(path),
    version: execFileSync(path, ["--version"], { encoding: "utf8" }).trim(),
  }))
  .filter(
    ({ version }, i, all) =>
      Number(version.slice(1).split(".")[0]) >= 20 && all.findIndex((n) => n.version === version) === i,
  );

describe.each(nodes)("Node $version", ({ path }) => {
  const javascript = (source: string, entry = "agent.mjs") => converse("javascript", { [entry]: source }, path);
  const once = async (
    source: string,
    options: { entry?: string; masked?: boolean; seat?: number } = {},
    turn = board,
  ) => {
    const agent = javascript(source, options.entry);
    expect(await agent.start(options), agent.log).toEqual(READY);
    return agent.ask(turn);
  };

  test.each([
    ["export class Agent { constructor({ seat }) { this.seat = seat; } act() { return this.seat; } }"],
    ["export const Agent = class { predict() { return 3; } };"],
    ["export function createAgent({ seat }) { return { getAction: () => seat }; }"],
    ["export async function createAgent() { return { act: async () => 3 }; }"],
    ["export function act() { return 3; }"],
    ["export const get_action = () => 3;"],
    ["export default { act() { return this.n; }, n: 3 };"],
  ])("form %#: %s", async (source) => {
    expect(await once(source, { seat: 3 })).toEqual({ action: 3 });
  });

  test.each([
    ["agent.js", "class Agent { act() { return 3; } }\nmodule.exports = { Agent };"],
    ["agent.cjs", "exports.act = () => 3;"],
    ["main.js", "module.exports.createAgent = () => ({ act: () => 3 });"],
  ])("%s as CommonJS", async (entry, source) => {
    expect(await once(source, { entry })).toEqual({ action: 3 });
  });

  test("what the agent prints and reads does not reach the protocol", async () => {
    const agent = javascript(`
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, writeSync } from "node:fs";
console.log("loaded");
export function act() {
  process.stdout.write('{"id":1,"action":0}\\n');
  writeSync(1, "raw\\n");
  spawnSync("/bin/sh", ["-c", "echo child; echo forged >&4; read line <&3 && echo stolen"], { stdio: "inherit" });
  return 2 + readFileSync(0).length;
}`);
    expect(await agent.start()).toEqual(READY);
    expect(await agent.ask(board)).toEqual({ action: 2 });
    expect(await agent.ask(board)).toEqual({ action: 2 });
    expect(await agent.close()).toEqual({ code: 0, signal: null });
    for (const text of ["loaded", '{"id":1,"action":0}', "raw", "child"]) expect(agent.log).toContain(text);
    for (const text of ["stolen", "forged"]) expect(agent.log).not.toContain(text);
  });

  test("observations are flat, with the mask only where legal actions vary", async () => {
    const see = "export const act = (seen) => { console.log(JSON.stringify(seen)); return 0; };";
    const masked = javascript(see);
    await masked.start({ masked: true });
    await masked.ask(board);
    const plain = javascript(see);
    await plain.start({ masked: false });
    await plain.ask({ observation: board.observation });
    for (const one of [masked, plain]) await one.close();
    expect(JSON.parse(masked.log)).toEqual({ observation: board.observation, action_mask: board.mask });
    expect(JSON.parse(plain.log)).toEqual(board.observation);
  });

  test.each(["true", "null", "undefined", "1.5", "NaN", "'1'", "[1]", "2 ** 53", "3n", "Object.create(null)"])(
    "%s is not an action",
    async (value) => {
      expect((await once(`export const act = () => ${value};`)).error).toContain("an action is an integer");
    },
  );

  test.each([
    ["a syntax error", "export function (", "SyntaxError"],
    ["an error while loading", "import './absent.mjs';", "absent.mjs"],
    [
      "an error in the constructor",
      "export class Agent { constructor() { throw new RangeError('no luck'); } }",
      "no luck",
    ],
    ["no function to call", "export const x = 1;", "act(observation)"],
  ])("%s is an error at start", async (_, source, text) => {
    const agent = javascript(source);
    expect(await agent.start()).toEqual({ id: null, error: expect.stringContaining(text) });
    await agent.ended;
    expect(agent.log).toContain(text);
  });

  test("parts, texts and odd floats of bundled environments, and actions that are lists", async () => {
    const single = { type: "Box", shape: [2], dtype: "float32", low: "-Infinity", high: "Infinity" };
    const observationSpace = {
      type: "Dict",
      spaces: {
        a: {
          type: "Tuple",
          spaces: [
            { type: "Discrete", n: 3 },
            { type: "Text", max_length: 9 },
          ],
        },
        b: single,
      },
    };
    const told = async (act: string) => {
      const agent = javascript(`export const act = ({ a, b }) => ${act}`);
      await agent.start({ masked: false, observationSpace, actionSpace: single });
      return agent.ask({ observation: { a: [2, "hé"], b: [0.5, "-Infinity"] }, mask: undefined as never });
    };
    expect(await told("[a[0], [Number(a[1] === 'hé' && b[1] === -Infinity)]]")).toEqual({ action: [2, 1] });
    expect(await told("new Float32Array([0.5, 1])")).toEqual({ action: [0.5, 1] });
    for (const wrong of ["[0, NaN]", "undefined", "['1']"])
      expect((await told(wrong)).error).toContain("an action is finite numbers");
  });

  test("actions of parts and texts", async () => {
    const told = async (act: string) => {
      const agent = javascript(`export const act = () => (${act})`);
      await agent.start({ masked: false, actionSpace: PARTS });
      return agent.ask({ observation: board.observation, mask: undefined as never });
    };
    expect(await told("{ said: 'h\\u00e9\"', pair: [2, [0.5, 1]], more: 1 }")).toEqual({
      action: { pair: [2, [0.5, 1]], said: 'hé"' },
    });
    expect((await told("{ pair: [2, [0.5, 1]] }")).error).toContain("an object of pair, said");
    expect((await told("{ said: 1, pair: [2, [0.5, 1]] }")).error).toContain("an action is a text");
    expect((await told("{ said: '', pair: [2] }")).error).toContain("a list of 2 parts");
    expect((await told("{ said: '', pair: ['2', [0.5, 1]] }")).error).toContain("an action is an integer");
    expect((await told("{ said: '', pair: [2, [0.5, NaN]] }")).error).toContain("an action is finite numbers");
  });

  test("errors, rejections and what is no error at all are answers, bounded, and the game goes on", async () => {
    const agent = javascript(`
let turn = 0;
export function act() {
  turn++;
  if (turn === 1) throw new RangeError("no move" + "x".repeat(1e6) + "the end");
  if (turn === 2) return Promise.reject(new Error("rejected"));
  if (turn === 3) throw "a text";
  if (turn === 4) throw { toString() { throw 1; } };
  if (turn === 5) return act2();
  return 7;
}
const act2 = () => act2();`);
    await agent.start();
    const first = (await agent.ask(board)).error!;
    expect(first).toContain("RangeError: no move");
    expect(first.length).toBeLessThan(5000);
    expect((await agent.ask(board)).error).toContain("rejected");
    expect((await agent.ask(board)).error).toContain("thrown: a text");
    expect((await agent.ask(board)).error).toContain("cannot be described");
    expect((await agent.ask(board)).error).toContain("Maximum call stack");
    expect(await agent.ask(board)).toEqual({ action: 7 });
  });

  test("an answer may wait for timers and threads", async () => {
    const source = `
import { Worker } from "node:worker_threads";
const worker = new Worker("const { parentPort } = require('node:worker_threads'); parentPort.on('message', (n) => parentPort.postMessage(n + 1));", { eval: true });
export async function act() {
  await new Promise((resolve) => setTimeout(resolve, 5));
  return new Promise((resolve) => { worker.once("message", resolve); worker.postMessage(4); });
}`;
    const agent = javascript(source);
    await agent.start();
    expect(await agent.ask(board)).toEqual({ action: 5 });
    expect(await agent.ask(board)).toEqual({ action: 5 });
    expect(await agent.close()).toEqual({ code: 0, signal: null });
  });

  test("reset() before each episode, episodeEnd(reward) after it; an error in it answers the next question", async () => {
    const agent = javascript(`
let count = 0, total = 0;
export const createAgent = () => ({
  reset() { count++; },
  episodeEnd(reward) { total += reward; if (count === 2) throw new Error("a bad end"); },
  act: () => 10 * count + total,
});`);
    await agent.start();
    const end = (episode: number) =>
      agent.say({ type: "episode_end", episode, reward: 0, return: 2, terminated: true, truncated: false });
    expect(await agent.ask({ ...board, episode: 0 })).toEqual({ action: 10 });
    end(0);
    expect(await agent.ask({ ...board, episode: 1 })).toEqual({ action: 22 });
    end(1);
    expect((await agent.ask({ ...board, episode: 2 })).error).toContain("a bad end");
    expect(await agent.ask({ ...board, episode: 2 })).toEqual({ action: 34 });
  });

  test("a question longer than the reader's buffer, and two questions in one write", async () => {
    const agent = javascript("export const act = (seen) => seen.length;");
    await agent.start({ masked: false });
    expect(await agent.ask({ observation: Array(100_000).fill(1) })).toEqual({ action: 100_000 });
    agent.say({ type: "news" });
    agent.say({ type: "episode_end", episode: 0, reward: 0, return: 0, terminated: true, truncated: false });
    expect(await agent.ask({ observation: [1, 2] })).toEqual({ action: 2 });
  });
});
