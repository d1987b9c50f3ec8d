import { styleText } from "node:util";
import { expect, test } from "vitest";
import { closest } from "./closest.ts";
import { table } from "./table.ts";
import { oneLine, printable } from "./terminal.ts";

test("columns line up, coloured or not, and no line ends in spaces", () => {
  const columns = [{ title: "name" }, { title: "score", align: "right" }, { title: "x" }] as const;
  const red = styleText("red", "ab", { validateStream: false });
  expect(
    table(columns, [
      [red, "1", ""],
      ["abcdef", "1000000", "y"],
    ]),
  ).toBe(`name      score  x\n${red}            1\nabcdef  1000000  y`);
});

test("a cell cannot make rows or columns", () => {
  expect(table([{ title: "a" }, { title: "b" }], [["x\n1\ty", "z"]])).toBe("a      b\nx 1 y  z");
});

test("what strangers write cannot drive the terminal", () => {
  expect(printable("a\u001b[2Jb\u202ec\rd\ne\tf")).toBe("a\ufffd[2Jb\ufffdc\ufffdd\ne\tf");
  expect(oneLine("a\nb\tc\u001b[2J")).toBe("a b c\ufffd[2J");
});

test("the nearest name is offered, and none that is far", () => {
  expect(closest("conect-four", ["hex", "connect-four"])).toBe("connect-four");
  expect(closest("chess", ["hex", "connect-four"])).toBeUndefined();
});
