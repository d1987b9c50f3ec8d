/**
 * Looks through an agent's files of JavaScript and reports what it finds (docs/validation.md). Node 20 or newer, started with
 * --experimental-vm-modules.
 *
 * Theory of operation. It runs in a sandbox of its own, by the Node that will run the agent, and nothing of the agent runs
 * here: a file is compiled as the module or the script that Node would take it for, and never evaluated. Request and report
 * are as in guest/python/validate.py: one line in; out of it one JSON object a line, each file named before it is looked at.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync, writeSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join } from "node:path";
import vm from "node:vm";

const MOST_FINDINGS = 300; // of all files
const MOST_OF_A_KIND = 20; // in one file
const MESSAGE_CHARS = 300;
/** Node is started again to find a syntax error's line: not for every one of a thousand files. */
const MOST_LOOKUPS = 10;

let path = "";
let count = 0;
let leftOut = 0;
let lookups = 0;
let seen = new Map();

function say(message) {
  let data = Buffer.from(`${JSON.stringify(message)}\n`);
  while (data.length > 0) data = data.subarray(writeSync(1, data));
}

function found(code, line, text) {
  const message = text.length <= MESSAGE_CHARS ? text : `${text.slice(0, MESSAGE_CHARS)}…`;
  const kind = seen.get(code) ?? seen.set(code, new Set()).get(code);
  const key = `${line} ${message}`;
  if (kind.has(key)) return;
  if (count >= MOST_FINDINGS || kind.size >= MOST_OF_A_KIND) {
    leftOut++;
    return;
  }
  kind.add(key);
  count++;
  say({ type: "finding", code, path, line, message });
}

function compiledAsModule(source) {
  try {
    const module = new vm.SourceTextModule(source, { identifier: path });
    const requests = module.moduleRequests?.map(({ specifier }) => specifier);
    return { imports: [...(requests ?? module.dependencySpecifiers)] };
  } catch (error) {
    return { error };
  }
}

function compiledAsScript(source) {
  try {
    vm.compileFunction(source, ["exports", "require", "module", "__filename", "__dirname"], { filename: path });
    return { imports: [] };
  } catch (error) {
    return { error };
  }
}

/** "module", "commonjs", or undefined where the nearest package.json leaves it to what the file holds. */
function packageType(root) {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const manifest = join(root, folder, "package.json");
    if (existsSync(manifest)) {
      try {
        const { type } = JSON.parse(readFileSync(manifest, "utf8"));
        return type === "module" || type === "commonjs" ? type : undefined;
      } catch {
        return undefined;
      }
    }
    if (folder === ".") return undefined;
  }
}

function compiled(root, source) {
  const kind = path.endsWith(".mjs") ? "module" : path.endsWith(".cjs") ? "commonjs" : packageType(root);
  if (kind === "module") return compiledAsModule(source);
  const script = compiledAsScript(source);
  if (kind === "commonjs" || script.error === undefined) return script;
  // Node takes a file for a module if only that makes sense of it.
  const module = compiledAsModule(source);
  const moduleWords = /import statement|export|import\.meta|await is only valid/i;
  return module.error === undefined || moduleWords.test(script.error.message) ? module : script;
}

/** Where the syntax error is: `node --check` says it. It compiles as well, and evaluates nothing. */
function errorLine(root) {
  if (lookups++ >= MOST_LOOKUPS) return null;
  const { stderr } = spawnSync(process.execPath, ["--check", join(root, path)], {
    encoding: "utf8",
    timeout: 10_000,
    maxBuffer: 1 << 20,
    stdio: ["ignore", "ignore", "pipe"],
  });
  // A warning may stand before it.
  const place = (stderr ?? "").split("\n").find((text) => /:\d+$/.test(text) && text.includes(path));
  return place === undefined ? null : Number(/\d+$/.exec(place)[0]);
}

function missing(root, specifier) {
  if (/^(data|file):|^#/.test(specifier) || isBuiltin(specifier)) return undefined;
  if (/^\.\.?\//.test(specifier)) {
    const target = join(root, dirname(path), specifier.replace(/[?#].*$/, ""));
    return isFile(target) ? undefined : `the agent has no file ${specifier} (a module's name needs its ending)`;
  }
  const [name] = /^(@[^/]+\/)?[^/]+/.exec(specifier) ?? [specifier];
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (existsSync(join(root, folder, "node_modules", name))) return undefined;
    if (folder === ".") return `no module ${specifier}: neither Node's own nor in the agent's node_modules`;
  }
}

function isFile(target) {
  try {
    return statSync(target).isFile();
  } catch {
    return false;
  }
}

const plain = (specifier) => specifier.replace(/^node:/, "");

function forbiddenBy(forbidden, specifier) {
  const name = plain(specifier);
  return forbidden.find((item) => name === item || name.startsWith(`${item}/`));
}

function lineOf(source, text) {
  const at = source.search(new RegExp(`(["'])${RegExp.escape?.(text) ?? text.replace(/[^\w]/g, "\\$&")}\\1`));
  return at < 0 ? null : source.slice(0, at).split("\n").length;
}

/** What is required by a known name. By the words alone: what stands in a comment of its own line is left out. */
function* required(source) {
  const lines = source.split("\n");
  for (const [index, line] of lines.entries())
    for (const match of line.matchAll(/\b(?:require|import)\s*\(\s*(["'])([^"'\\]{1,200})\1\s*\)/g))
      if (!/^\s*(\/\/|\*|\/\*)|\s\/\//.test(line.slice(0, match.index))) yield [index + 1, match[2]];
}

function lookAt(request) {
  const bytes = readFileSync(join(request.agent_dir, path));
  const source = bytes
    .toString("utf8")
    .replace(/^\ufeff/, "")
    .replace(/^#!/, "//");
  const { error, imports } = compiled(request.agent_dir, source);
  if (error !== undefined) {
    found("syntax", errorLine(request.agent_dir), `${error.name}: ${error.message}`);
    return;
  }
  for (const specifier of imports) {
    const why = missing(request.agent_dir, specifier);
    if (why !== undefined) found("missing_import", lineOf(source, specifier), why);
    const item = forbiddenBy(request.forbidden, specifier);
    if (item !== undefined) found("forbidden", lineOf(source, specifier), `imports ${item}`);
  }
  for (const [line, specifier] of required(source)) {
    const item = forbiddenBy(request.forbidden, specifier);
    if (item !== undefined) found("forbidden", line, `imports ${item}`);
  }
}

say({ type: "hello", version: process.versions.node });
/** Until the line's end: the host leaves the pipe open until it has the report. */
function readRequest() {
  let text = "";
  process.stdin.setEncoding("utf8");
  return new Promise((resolve) => {
    process.stdin.on("data", (part) => {
      text += part;
      if (text.endsWith("\n")) resolve(text);
    });
    process.stdin.on("end", () => resolve(text));
  });
}

const line = await readRequest();
if (line !== "") {
  const request = JSON.parse(line);
  for (const file of request.files) {
    path = file;
    seen = new Map();
    say({ type: "file", path });
    lookAt(request);
  }
  say({ type: "done", left_out: leftOut });
}
process.exit(0);
