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
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { plainJson } from "./plain-json.mjs";
import { errorAnswer, findMethod, readLine, send, shorten } from "./wire.mjs";

const METHODS = ["act", "getAction", "get_action", "predict"];
/** In tasks: a judge's questions, or inputs to be predicted from. */
const CALLED = { questions: ["answer", "ask", "act"], supervised: ["predict", "answer"] };

async function loadAgent(info, names) {
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
  const choose = findMethod(agent, names) ?? (agent === namespace ? findMethod(namespace.default, names) : undefined);
  if (choose === undefined)
    throw new TypeError(
      `${path} offers none of createAgent(info), class Agent, ${names.map((m) => `${m}(observation)`).join(", ")}`,
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

/** A function from an agent's action to the protocol's. */
function actionWriter(space) {
  if (space.type === "Discrete")
    return (action) => {
      checkInteger(action);
      return action;
    };
  if (space.type === "Text")
    return (action) => {
      if (typeof action === "string") return action;
      throw new TypeError("an action is a text, and the agent returned something else");
    };
  if (space.type === "Tuple") {
    const parts = space.spaces.map(actionWriter);
    return (action) => {
      if (Array.isArray(action) && action.length === parts.length) return parts.map((part, i) => part(action[i]));
      throw new TypeError(`an action is a list of ${parts.length} parts, and the agent returned something else`);
    };
  }
  if (space.type === "Dict") {
    const parts = Object.entries(space.spaces).map(([key, one]) => [key, actionWriter(one)]);
    return (action) => {
      if (typeof action === "object" && action !== null && parts.every(([key]) => Object.hasOwn(action, key)))
        return Object.fromEntries(parts.map(([key, part]) => [key, part(action[key])]));
      const names = parts.map(([key]) => key).join(", ");
      throw new TypeError(`an action is an object of ${names}, and the agent returned something else`);
    };
  }
  return flatNumbers;
}

async function play(info, agent) {
  const { choose, reset, end } = agent;
  const observe = observer(info.observation_space);
  const masked = info.masked ?? true;
  const listed = info.action_space !== undefined && info.action_space.type !== "Discrete";
  const write = listed ? actionWriter(info.action_space) : undefined;
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
        answer = `{"id":${id},"action":${listed ? JSON.stringify(write(action)) : action}}\n`;
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

async function answerQuestions({ choose }) {
  for (;;) {
    const line = readLine();
    if (line === undefined) return;
    const message = JSON.parse(line);
    if (message.type !== "ask") continue;
    let answer;
    try {
      answer = `{"id":${message.id},"answer":${plainJson(await choose(message.question))}}\n`;
    } catch (error) {
      answer = errorAnswer(message.id, error);
    }
    send(answer);
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
    agent = await loadAgent(info, info.task === undefined ? METHODS : CALLED[info.task.kind]);
  } catch (error) {
    send(errorAnswer(null, error));
    return;
  }
  send('{"type":"ready","protocol":1}\n');
  await (info.task === undefined ? play(info, agent) : answerQuestions(agent));
}

await main();
process.exit(0); // whatever timers the agent still has
