import type { JobOutput } from "@lanista/api/gen/lanista/v1/workers_pb";
import { expect, test } from "vitest";
import { JobOutputBuffer } from "./job-output.ts";

const short = (one: JobOutput) =>
  one.piece.case === "log"
    ? [Number(one.seq), one.piece.value.seat, one.piece.value.text]
    : [Number(one.seq), one.piece.value];

test("gathers what comes together, in the order it came in", () => {
  let told = 0;
  const output = new JobOutputBuffer(() => told++);
  expect(output.empty).toBe(true);
  output.move("one");
  output.move("two");
  output.log(1, Buffer.from("hello "));
  output.log(1, Buffer.from("world"));
  output.log(0, Buffer.from("x"));
  output.move("three");
  expect(output.waiting(99, 1e6).map(short)).toEqual([
    [0, "one\ntwo\n"],
    [1, 1, "hello world"],
    [2, 0, "x"],
    [3, "three\n"],
  ]);
  expect(told).toBe(6);
});

test("a piece that was sent keeps its number and text until the server has it", () => {
  const output = new JobOutputBuffer(() => {});
  output.move("one");
  const sent = output.waiting(99, 1e6);
  output.move("two");
  expect(output.waiting(99, 1e6).map(short)).toEqual([
    [0, "one\n"],
    [1, "two\n"],
  ]);
  output.taken(sent);
  expect(output.waiting(99, 1e6).map(short)).toEqual([[1, "two\n"]]);
  output.taken(sent);
  output.taken(output.waiting(99, 1e6));
  expect(output.empty).toBe(true);
});

test("gives no more than asked for, but always something", () => {
  const output = new JobOutputBuffer(() => {});
  for (const seat of [0, 1, 0, 1]) output.log(seat, Buffer.from("x".repeat(1000)));
  expect(output.waiting(3, 1e6)).toHaveLength(3);
  expect(output.waiting(99, 2500)).toHaveLength(2);
  expect(output.waiting(99, 10)).toHaveLength(1);
});

test("characters cut anywhere in their bytes come whole, and none that PostgreSQL cannot hold", () => {
  const output = new JobOutputBuffer(() => {});
  const bytes = Buffer.from("ä€😀\0.");
  for (const byte of bytes) output.log(0, Buffer.from([byte]));
  const text = output
    .waiting(99, 1e6)
    .map((one) => short(one)[2])
    .join("");
  expect(text).toBe("ä€😀\ufffd.");
});

test("a log longer than a piece is split, never within a character", () => {
  const output = new JobOutputBuffer(() => {});
  const text = `x${"😀".repeat(40_000)}`;
  output.log(0, Buffer.from(text));
  const pieces = output.waiting(99, 1e9).map((one) => short(one)[2] as string);
  expect(pieces.length).toBeGreaterThan(1);
  expect(pieces.join("")).toBe(text);
  for (const piece of pieces) expect(piece.isWellFormed()).toBe(true);
});

test("moves that nobody takes are not gathered without end, and stop at a hole; logs go on", () => {
  const output = new JobOutputBuffer(() => {});
  const line = "x".repeat(10_000);
  for (let i = 0; i < 1000; i++) output.move(line);
  output.taken(output.waiting(99_999, 1e9));
  expect(output.empty).toBe(true);
  output.move("after the hole");
  expect(output.empty).toBe(true);
  output.log(0, Buffer.from("still here"));
  expect(output.waiting(9, 1e6).map(short).at(-1)?.slice(1)).toEqual([0, "still here"]);
});
