/**
 * Runs one judge of a task, in JavaScript, in a box of its own (docs/tasks.md, "Judges"). Node 20 or newer, nothing else.
 *
 * Theory of operation. As with agents, what a judge prints goes to its log. The host tells it of a case; the judge asks questions,
 * which the host takes to the agent in the other box, and returns a verdict. The agent's bytes never come here: an answer is a JSON
 * value that the host has parsed and written anew.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { plainJson } from "./plain-json.mjs";
import { errorAnswer, findMethod, readLine, send } from "./wire.mjs";

function read() {
  const line = readLine();
  if (line === undefined) process.exit(0); // the case is over
  return JSON.parse(line);
}

async function loadJudge({ agent_dir: folder, entry }) {
  process.chdir(folder);
  const path = join(folder, entry);
  process.argv[1] = path;
  const namespace = await import(pathToFileURL(path).href);
  const judge = findMethod(namespace, ["judge"]) ?? findMethod(namespace.default, ["judge"]);
  if (judge === undefined) throw new TypeError(`${entry} exports no function judge(case, agent)`);
  return judge;
}

const info = read();
let judge;
try {
  judge = await loadJudge(info);
} catch (error) {
  send(errorAnswer(null, error));
  process.exit(0);
}
send('{"type":"ready","protocol":1}\n');

const message = read();
let turn = message.id;

function say(key, value) {
  const text = `{"id":${turn},"${key}":${plainJson(value)}}\n`;
  turn = undefined;
  send(text);
}

/** Whoever is graded. `ask` waits for the answer; it may be awaited, too. */
const agent = {
  ask(question) {
    if (turn === undefined) throw new Error("a question is open already: one at a time");
    say("ask", question);
    const { id, answer } = read();
    turn = id;
    return answer;
  },
};

try {
  const returned = await judge(message.case, message.record ?? agent);
  say("verdict", typeof returned === "number" ? { value: returned } : returned);
} catch (error) {
  if (turn !== undefined) send(errorAnswer(turn, error));
}
read();
