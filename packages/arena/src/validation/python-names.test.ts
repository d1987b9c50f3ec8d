/** What the program that looks through Python files finds in them, by each Python of this host: one line each, hit or not. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { agentFiles } from "../agents/testing/agent-files.ts";
import { findPythons } from "../agents/testing/interpreters.ts";
import { InspectionLines } from "./inspection-lines.ts";
import { DEFAULT_POLICY_DOCUMENT } from "./policy.ts";

const program = fileURLToPath(new URL("../../../../guest/python/validate.py", import.meta.url));
const pythons = findPythons();

/** Each source, and the policy's items it must be found to reach, in the order of their lines. */
const SOURCES: readonly (readonly [source: string, hits: readonly string[]])[] = [
  // Reached.
  ["import os\nos.system('ls')", ["os.system"]],
  ["import os as o\no.system('ls')", ["os.system"]],
  ["from os import system", ["os.system"]],
  ["from os import system as s\ns('ls')", ["os.system"]],
  ["from os import *\nsystem('ls')", ["os.system"]],
  ["import os\nrun = os.system\nrun('ls')", ["os.system"]],
  ["import os\nx = os\ny = x\ny.system('ls')", ["os.system"]],
  ["import os\na, b = os, 1\na.system('ls')", ["os.system"]],
  ["import os\n(o := os).system('ls')", ["os.system"]],
  ["import os\nx = os if 1 else None\nx.system('ls')", ["os.system"]],
  ["import os\ndef f():\n    return os.system", ["os.system"]],
  ["def f():\n    import os as o\n    class A:\n        def g(self): o.system('ls')", ["os.system"]],
  ["def f():\n    global o\n    import os as o\ndef g(): o.system('')", ["os.system"]],
  ["import os\n[os.system(x) for x in 'ab']", ["os.system"]],
  ["import os\nf = lambda c: os.system(c)", ["os.system"]],
  ["import os\nf'{os.system}'", ["os.system"]],
  ["import posix\nposix.system('ls')", ["os.system"]],
  ["import shutil\nshutil.os.system('ls')", ["os.system"]],
  ["import os\ngetattr(os, 'system')('ls')", ["os.system"]],
  ["import os\ngetattr(os, 'sys' + 'tem')('ls')", ["os.system"]],
  ["import os\nname = 'system'\ngetattr(os, name)('ls')", ["os.system"]],
  ["import os\nvars(os)['system']('ls')", ["os.system"]],
  ["import os\nos.__dict__['system']('ls')", ["os.system"]],
  ["import os\nos.__dict__.get('system')", ["os.system"]],
  ["import sys\nsys.modules['os'].system('ls')", ["os.system"]],
  ["import importlib\nimportlib.import_module('os').system('ls')", ["os.system"]],
  ["from importlib import import_module as m\nm('os').system('ls')", ["os.system"]],
  ["__import__('os').system('ls')", ["os.system", "__import__"]],
  ["import subprocess", ["subprocess"]],
  ["import subprocess as sp\nsp.run(['ls'])\nsp.Popen", ["subprocess"]],
  ["from subprocess import run", ["subprocess"]],
  ["from subprocess import *", ["subprocess"]],
  ["try:\n    import subprocess\nexcept ImportError:\n    pass", ["subprocess"]],
  ["import importlib\nimportlib.import_module('subprocess')", ["subprocess"]],
  ["import importlib\nimportlib.import_module(name='subprocess')", ["subprocess"]],
  ["import sys\nsys.modules.get('subprocess')", ["subprocess"]],
  ["eval('1')", ["eval"]],
  ["e = eval\ne('1')", ["eval"]],
  ["import builtins\nbuiltins.eval('1')", ["eval"]],
  ["from builtins import eval as e", ["eval"]],
  ["__builtins__.eval('1')", ["eval"]],
  ["__builtins__['eval']('1')", ["eval"]],
  ["globals()['__builtins__']['eval']('1')", ["eval"]],
  ["getattr(__builtins__, 'eval')", ["eval"]],
  ["map(eval, [])", ["eval"]],
  ["def f(x=eval): pass", ["eval"]],
  ["@eval\ndef f(): pass", ["eval"]],
  ["exec('x = 1')", ["exec"]],
  ["compile('1', '', 'eval')", ["compile"]],
  ["def f():\n    compile = 1\ncompile('1', '', 'eval')", ["compile"]],
  ["class A:\n    def eval(self): pass\n    def g(self): eval('1')", ["eval"]],
  ["__import__('random')", ["__import__"]],
  // Not reached: a name that merely looks like it.
  ["from stable_baselines3.common.evaluation import evaluate_policy", []],
  ["import stable_baselines3.common.evaluation as evaluation\nevaluation.evaluate_policy", []],
  ["class M: pass\nmodel = M()\nmodel.eval()", []],
  ["import torch\nmodel = torch.nn.Linear(1, 1)\nmodel.eval()\ntorch.compile(model)\ntorch.eval", []],
  ["def evaluate(x): return x\nevaluate(1)", []],
  ["evaluation = {}\nevaluation['eval'] = 'exec'", []],
  ["import re\nre.compile('x')", []],
  ["from re import compile\ncompile('x')", []],
  ["def compile(x): return x\ncompile(1)", []],
  ["class A:\n    def compile(self): return self.compile()", []],
  ["def f(eval): return eval(1)", []],
  ["f = lambda exec: exec(1)", []],
  ["[eval for eval in (1, 2)]", []],
  ["for compile in (1, 2): compile", []],
  ["try:\n    pass\nexcept Exception as eval:\n    eval", []],
  ["with open('/dev/null') as exec: exec.read()", []],
  ["def f():\n    def exec(): pass\n    def g(): return exec()\n    return g", []],
  ["import pandas\npandas.eval('1')\ndf = pandas.DataFrame()\ndf.eval('x')", []],
  ["# eval('1')\nx = 'import subprocess; os.system'", []],
  ["class os:\n    system = 1\nos.system", []],
  ["import os\nos.path.join('a', 'b')\nos.systemd = 1\nos.environ", []],
  ["from . import subprocess", []],
  ["import asyncio\nasyncio.subprocess", []],
  ["import mysubprocess\nmysubprocess.run", []],
  ["import os\ngetattr(os, input())", []],
  // What refers to itself comes to an end.
  ["a = b\nb = a\na.system", []],
  ["import os\no = os\no = o.o if 0 else o\no.system", ["os.system"]],
];

function look(python: string, files: Record<string, string>, requirements: string | null = null): InspectionLines {
  const sources = Object.keys(files).filter((name) => name.endsWith(".py"));
  const asked = {
    agent_dir: agentFiles(files),
    files: sources,
    requirements,
    forbidden: DEFAULT_POLICY_DOCUMENT.forbidden_imports,
  };
  const ran = spawnSync(python, ["-I", "-B", "-X", "utf8", program], {
    input: `${JSON.stringify(asked)}\n`,
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  expect(ran.status, ran.stderr).toBe(0);
  const lines = new InspectionLines(requirements === null ? sources : [...sources, requirements]);
  for (const line of ran.stdout.trimEnd().split("\n")) expect(lines.take(Buffer.from(line)), line).toBe(true);
  expect(lines.done).toBe(true);
  return lines;
}

const found = (lines: InspectionLines, code: string, file?: string) =>
  lines.findings.filter((one) => one.code === code && (file === undefined || one.file === file));

test("a Python is there to test with", () => {
  expect(pythons.length).toBeGreaterThan(0);
});

describe.each(pythons)("Python $version (NumPy: $numpy)", ({ path, version }) => {
  test("what is forbidden is found by whatever name, and what is not forbidden is not", () => {
    const files = Object.fromEntries(SOURCES.map(([source], i) => [`s${i}.py`, source]));
    const lines = look(path, files);
    expect(lines.version).toMatch(version);
    const hits = SOURCES.map(([source], i) => {
      const items = found(lines, "forbidden", `s${i}.py`).map((one) => one.message.split(" ").at(-1));
      return [source, items.sort()];
    });
    expect(hits).toEqual(SOURCES.map(([source, items]) => [source, [...items].sort()]));
    expect(found(lines, "syntax")).toEqual([]);
  });

  test("places are told by file and line", () => {
    const lines = look(path, { "agent.py": "\n\nimport lib.tools\n", "lib/tools.py": "x = 1\n\nexec('')\n" });
    expect(lines.findings).toEqual([{ code: "forbidden", file: "lib/tools.py", line: 3, message: "uses exec" }]);
  });

  test("imports that will not be found are told, and only those", () => {
    const lines = look(path, {
      "agent.py": `
import json, os.path, xml.etree.ElementTree, __future__
import helper, lib, lib.tools, data
import nowhere
from lib import x
import lib.gone
from nowhere.at.all import x
from . import helper
try:
    import fast_nowhere
except ImportError:
    fast_nowhere = None
try:
    import ujson_nowhere as js
except (ImportError, AttributeError):
    import other_nowhere as js
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    import typed_nowhere
try:
    import caught_nowhere
except ValueError:
    pass
def later():
    import later_nowhere
`,
      "helper.py": "",
      "lib/__init__.py": "from . import tools\nfrom .tools import x\nfrom .gone import y\nfrom ..helper import z\n",
      "lib/tools.py": "x = 1\nfrom . import x\nfrom .inner import deep\n",
      "lib/inner/deep.py": "from ..tools import x\nfrom ...helper import x\n",
      "data/x.txt": "",
    });
    const places = found(lines, "missing_import").map((one) => `${one.file}:${one.line}`);
    expect(places).toEqual([
      "agent.py:4",
      "agent.py:6",
      "agent.py:7",
      "agent.py:8",
      "agent.py:21",
      "agent.py:25",
      "lib/__init__.py:3",
      "lib/__init__.py:4",
      "lib/inner/deep.py:2",
    ]);
    expect(found(lines, "missing_import")[0]!.message).toContain("no module nowhere");
  });

  test("files of the agent are neither run nor taken for modules of ours", () => {
    const boom = "raise SystemExit('run')\n";
    const names = [
      "ast.py",
      "json/__init__.py",
      "validate_names.py",
      "validate_requirements.py",
      "sitecustomize.py",
      "packaging/requirements.py",
    ];
    const files = Object.fromEntries(names.map((name) => [name, boom]));
    const lines = look(
      path,
      { ...files, "agent.py": "import ast, json\n", "requirements.txt": "x\n" },
      "requirements.txt",
    );
    expect(found(lines, "requirement")).toHaveLength(1);
    expect(found(lines, "missing_import")).toEqual([]);
  });

  test("a syntax error has its place", () => {
    const sources: readonly (readonly [source: string, line: number])[] = [
      ["x = = 1", 1],
      ["x = 1\n  y = 2", 2],
      ["def f(:\n  pass", 1],
      ["return 1", 1],
      ["def f():\n    nonlocal x", 2],
      ["print 'two'", 1],
      ["'\\ud800\\N{nothing}'", 1],
    ];
    const lines = look(path, Object.fromEntries(sources.map(([source], i) => [`s${i}.py`, source])));
    const places = sources.map((_, i) => found(lines, "syntax", `s${i}.py`).map((one) => one.line));
    expect(places).toEqual(sources.map(([, line]) => [line]));
  });

  test("what no parser likes is found or read, and breaks nothing", () => {
    const bad = [
      "x = 1\0",
      "# coding: nowhere\nx = 1",
      `${"(".repeat(10_000)}${")".repeat(10_000)}`,
      `x = ${"1 + ".repeat(100_000)}1`,
      `x = ${"-".repeat(50_000)}1`,
      Array.from({ length: 200 }, (_, i) => `${" ".repeat(i)}if 1:`).join("\n"),
      `x = ${"f(".repeat(90)}1${")".repeat(90)}`,
      `x${".y".repeat(800)}`,
    ];
    const files = Object.fromEntries(bad.map((source, i) => [`bad${i}.py`, source]));
    const lines = look(path, { ...files, "good.py": "eval('1')" });
    expect(found(lines, "forbidden")).toMatchObject([{ file: "good.py" }]);
    for (const i of [0, 1, 2, 5]) expect(found(lines, "syntax", `bad${i}.py`), `bad${i}`).toHaveLength(1);
    expect(found(lines, "syntax", "bad6.py")).toEqual([]);
  });

  test("requirements are compared with what is installed", () => {
    const text = `# a comment
pip
nowhere-to-be-found  # another
nowhere_two ; python_version < "3"
-r other.txt
https://nowhere.invalid/x.whl
./local
nowhere-three \\
  >= 1.0
`;
    const lines = look(path, { "requirements.txt": text }, "requirements.txt");
    const places = found(lines, "requirement").map((one) => one.line);
    expect(places.filter((line) => line !== 2)).toEqual([3, 5, 6, 7, 8]);
  });
});

test("a file that warns is told of it, with its line", () => {
  const { path } = pythons.at(-1)!;
  const lines = look(path, { "agent.py": "x = 1\nif x is 1: pass\ny = '\\d'\n" });
  expect(found(lines, "syntax_warning").map((one) => one.line)).toEqual(expect.arrayContaining([2, 3]));
});

test("findings are bounded, and what is left out is counted", () => {
  const { path } = pythons[0]!;
  const source = "eval('1')\n".repeat(100);
  const files = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`f${i}.py`, source]));
  const lines = look(path, files);
  expect(lines.findings).toHaveLength(300);
  expect(lines.leftOut).toBe(40 * 100 - 300);
});

test("a star in a policy stands for any part of a name", () => {
  const { path } = pythons[0]!;
  const folder = agentFiles({ "agent.py": "import os\nos.execv\nos.spawnl\nos.exit\nimport a.secret\n" });
  const asked = { agent_dir: folder, files: ["agent.py"], requirements: null, forbidden: ["os.exec*", "a.*"] };
  const ran = spawnSync(path, ["-I", "-B", program], { input: `${JSON.stringify(asked)}\n`, encoding: "utf8" });
  const lines = ran.stdout.split("\n").filter((line) => line.includes("forbidden"));
  expect(lines.map((line) => JSON.parse(line).line).sort()).toEqual([2, 5]);
});
