import { join } from "node:path";
import { makeEnvironment } from "@lanista/games/environment";
import { ticTacToe } from "@lanista/games/tic-tac-toe";
import { afterAll, beforeAll, expect, test } from "vitest";
import { playMatch } from "./match.ts";
import { MAX_LOG } from "./seat-log.ts";
import { Stage } from "./testing/scripted.ts";

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

test("how much of a log was cut off stands in the result, whatever the log says of itself", async () => {
  const answers = "for q in questions(): answer(q, first(q))";
  const forger = `ready(); sys.stderr.write("\\n[lanista: 9 more bytes were cut off]\\n"); sys.stderr.flush()\n${answers}`;
  const writer = `ready(); sys.stderr.write("x" * ${MAX_LOG + 7}); sys.stderr.flush()\n${answers}`;
  const { result } = await playMatch({
    env: makeEnvironment(ticTacToe as never),
    contenders: [stage.agent("forger", forger), stage.agent("writer", writer)],
    logs: join(stage.dir, "logs"),
  });
  expect(result.outcome).toEqual({ kind: "completed" });
  expect(result.seats.map((seat) => seat.logCut)).toEqual([0, 7]);
});
