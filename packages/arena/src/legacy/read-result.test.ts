/** Result lines as a hostile grader would write them: read in a box, and nothing of them is run anywhere. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readResult } from "./read-result.ts";
import { LegacyBench } from "./testing.ts";

let bench: LegacyBench;
beforeAll(async () => {
  bench = await LegacyBench.open();
});
afterAll(async () => await bench.close());

/** What Python prints of `value`, an expression after `before`. */
const line = (value: string, before = ""): string =>
  execFileSync("/usr/bin/python3", ["-c", `import pickle\n${before}\nprint(pickle.dumps(${value}))`], {
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  }).trim();

const RESULT = `{"suite_id": "s", "results": [{"case_id": 1, "result": {"name": "n", "detail": {"a": (1, float("nan"))}, "value": 2.5, "error": ValueError("no")}}]}`;

describe("a result line", () => {
  test("is taken as it is where it names only what Python brings", async () => {
    const given = line(RESULT);
    expect(await readResult(bench.boxes, given)).toEqual({
      line: given,
      unknown: [],
      result: {
        suiteId: "s",
        cases: [{ caseId: 1, name: "n", value: 2.5, detail: { a: [1, "nan"] }, error: "ValueError: no" }],
      },
    });
  });

  test("that would run a program runs none, and is handed on to nobody", async () => {
    const mark = join(tmpdir(), `lanista-unpickled-${process.pid}`);
    const given = line(
      "{'results': [{'result': {'value': 1, 'detail': Bad()}}]}",
      `class Bad:\n    def __reduce__(self):\n        import os\n        return os.system, ("touch ${mark}",)`,
    );
    const read = await readResult(bench.boxes, given);
    expect(existsSync(mark)).toBe(false);
    expect(read).toMatchObject({ line: null, unknown: ["posix.system"], result: { cases: [{ value: 1 }] } });
    // It bites: whoever unpickles the line runs it.
    execFileSync("/usr/bin/python3", [
      "-c",
      "import pickle, sys, ast, os\npickle.loads(ast.literal_eval(sys.argv[1]))\nos.remove(sys.argv[2])",
      given,
      mark,
    ]);
  });

  test.for([
    ["is no bytes", "b'' + 1", /bytes literal/],
    ["is cut off", "b'\\x80\\x04'", /no pickle/],
    ["is no pickle", "b'hello'", /no pickle/],
  ] as const)("that %s is refused", async ([, given, why]) => {
    expect(await readResult(bench.boxes, given)).toMatch(why);
  });

  test("that grows without bound is refused", async () => {
    const shared = "x = []\nfor _ in range(60):\n    x = [x, x]";
    expect(await readResult(bench.boxes, line("{'results': x}", shared))).toMatch(/too large|too deep|nested/);
    const deep = "x = []\nimport sys\nsys.setrecursionlimit(100000)\nfor _ in range(900):\n    x = [x]";
    expect(await readResult(bench.boxes, line("{'results': x}", deep))).toMatch(/too large|nested/);
    // bytearray(2**40), by hand.
    expect(await readResult(bench.boxes, "b'cbuiltins\\nbytearray\\n(I1099511627776\\ntR.'")).toMatch(
      /too large|no pickle/,
    );
  });

  test("of another shape is no result, but one that aiVLE would store", async () => {
    expect(await readResult(bench.boxes, line("{'score': 5}"))).toMatchObject({ result: null, unknown: [] });
    expect(await readResult(bench.boxes, line("{'results': []}"))).toMatchObject({ result: null });
  });
});
