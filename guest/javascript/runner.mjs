/**
 * Runs one JavaScript agent behind the agent protocol (docs/agent-protocol.md). Node 20 or newer, nothing else.
 *
 * Theory of operation. JavaScript cannot duplicate a descriptor, so the shell that starts this program hands it the
 * protocol's two ends as descriptors 3 and 4, and leaves an empty input as 0 and the log as 1 and 2: nothing an agent
 * prints or reads can reach the protocol by accident. (An agent that goes looking for them can only speak for itself,
 * which it may anyway.) Node keeps 3 and 4 from the agent's child processes.
 *
 * Questions are read synchronously: it is the fastest way, and while no question is open nothing of the agent runs that
 * its own threads do not. An agent may answer with a promise; then its events are served until it is fulfilled.
 */
import { readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const QUESTIONS = 3;
const ANSWERS = 4;
const ERROR_CHARS = 4000; // of an error's text in an answer; the log gets more
const LOG_CHARS = 16_000;

let buffer = Buffer.allocUnsafe(1 << 16);
let from = 0;
let to = 0;

/** The next line without its end; undefined at the end of the input. */
function readLine() {
  let scanned = from;
  for (;;) {
    const end = buffer.subarray(0, to).indexOf(10, scanned);
    if (end >= 0) {
      const line = buffer.utf8Slice(from, end);
      from = end + 1;
      return line;
    }
    buffer.copy(buffer, 0, from, to);
    to -= from;
    from = 0;
    scanned = to;
    if (to === buffer.length) buffer = Buffer.concat([buffer, Buffer.allocUnsafe(buffer.length)]);
    const size = readSome();
    if (size === 0) return undefined;
    to += size;
  }
}

function readSome() {
  for (;;) {
    try {
      return readSync(QUESTIONS, buffer, to, buffer.length - to, null);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
      pause(); // someone made the pipe non-blocking
    }
  }
}

function send(text) {
  let data = Buffer.from(text);
  while (data.length > 0) {
    try {
      data = data.subarray(writeSync(ANSWERS, data));
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
      pause();
    }
  }
}

function pause() {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
}

/** Keeps both ends: the first line names the error, the last frames say where it began. */
function shorten(text, limit) {
  if (text.length <= limit) return text;
  const half = limit / 2;
  return `${text.slice(0, half)}\n... ${text.length - limit} characters left out ...\n${text.slice(-half)}`;
}

function errorAnswer(id, error) {
  let text = "an error that cannot be described";
  try {
    text = error instanceof Error && error.stack ? String(error.stack) : `thrown: ${String(error)}`;
  } catch {
    // an agent's own error class can fail at being described
  }
  console.error(shorten(text, LOG_CHARS));
  return `${JSON.stringify({ id, error: shorten(text, ERROR_CHARS) })}\n`;
}

const METHODS = ["act", "getAction", "get_action", "predict"];

/** A function that chooses actions, bound to its owner; undefined where the owner has none. */
function findMethod(owner, names) {
  for (const name of names) if (typeof owner?.[name] === "function") return owner[name].bind(owner);
  return undefined;
}

async function loadAgent(info) {
  process.chdir(info.agent_dir);
  const path = join(info.agent_dir, info.entry ?? "agent.mjs");
  process.argv[1] = path;
  const namespace = await import(pathToFileURL(path).href);
  // A CommonJS module is its namespace's default.
  const exported = (name) => namespace[name] ?? namespace.default?.[name];
  const create = exported("createAgent");
  const Agent = exported("Agent");
  let agent = namespace;
  if (typeof create === "function") agent = await create(info);
  else if (typeof Agent === "function") agent = new Agent(info);
  const choose =
    findMethod(agent, METHODS) ?? (agent === namespace ? findMethod(namespace.default, METHODS) : undefined);
  if (choose === undefined)
    throw new TypeError(
      `${path} offers none of createAgent(info), class Agent, ${METHODS.map((m) => `${m}(observation)`).join(", ")}`,
    );
  return { choose, reset: findMethod(agent, ["reset"]), end: findMethod(agent, ["episodeEnd", "episode_end"]) };
}

function checkInteger(action) {
  if (Number.isSafeInteger(action)) return;
  let shown = typeof action;
  try {
    shown = `${typeof action} ${shorten(String(action), 200)}`;
  } catch {
    // an object without a text of its own
  }
  throw new TypeError(`an action is an integer, and the agent returned: ${shown}`);
}

/** A function from the protocol's observation to what the agent sees: among floats texts stand for NaN and the infinities. */
function observer(space) {
  if (space.type === "Discrete") return (value) => (Array.isArray(value) ? value[0] : value);
  if (space.type === "Tuple") {
    const parts = space.spaces.map(observer);
    return (values) => parts.map((part, i) => part(values[i]));
  }
  if (space.type === "Dict") {
    const parts = Object.entries(space.spaces).map(([key, one]) => [key, observer(one)]);
    return (values) => Object.fromEntries(parts.map(([key, part]) => [key, part(values[key])]));
  }
  if (space.type !== "Box" || !space.dtype.startsWith("float")) return (value) => value;
  return (flat) => (flat.some((one) => typeof one === "string") ? flat.map(Number) : flat);
}

/** The action as a flat list: of an array, nested or typed, or of one number. */
function flatNumbers(action) {
  const flat = (value) =>
    Array.isArray(value) || ArrayBuffer.isView(value) ? Array.from(value).flatMap(flat) : [value];
  const numbers = flat(action);
  if (numbers.every((one) => typeof one === "number" && Number.isFinite(one))) return numbers;
  throw new TypeError("an action is finite numbers, and the agent returned something else");
}

async function play(info, agent) {
  const { choose, reset, end } = agent;
  const observe = observer(info.observation_space);
  const masked = info.masked ?? true;
  const listed = info.action_space !== undefined && info.action_space.type !== "Discrete";
  let episode;
  let pending;
  for (;;) {
    const line = readLine();
    if (line === undefined) return;
    const message = JSON.parse(line);
    if (message.type === "act") {
      const { id, observation: flat } = message;
      let answer;
      try {
        if (message.episode !== episode) {
          if (pending !== undefined) {
            const { error } = pending;
            pending = undefined;
            throw error;
          }
          episode = message.episode;
          await reset?.();
        }
        const seen = observe(flat);
        let action = choose(masked ? { observation: seen, action_mask: message.action_mask } : seen);
        if (typeof action?.then === "function") action = await action;
        if (!listed) checkInteger(action);
        answer = `{"id":${id},"action":${listed ? JSON.stringify(flatNumbers(action)) : action}}\n`;
      } catch (error) {
        answer = errorAnswer(id, error);
      }
      send(answer);
    } else if (message.type === "episode_end") {
      episode = undefined;
      try {
        await end?.(message.return);
      } catch (error) {
        pending = { error }; // no question is open: the next one gets it
      }
    }
  }
}

async function main() {
  let info;
  do {
    const line = readLine();
    if (line === undefined) return;
    info = JSON.parse(line);
  } while (info.type !== "start");
  let agent;
  try {
    agent = await loadAgent(info);
  } catch (error) {
    send(errorAnswer(null, error));
    return;
  }
  send('{"type":"ready","protocol":1}\n');
  await play(info, agent);
}

await main();
process.exit(0); // whatever timers the agent still has
