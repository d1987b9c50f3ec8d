import { expect, test } from "vitest";
import { TaskError } from "../task-error.ts";
import { readPredictions } from "./metrics.ts";
import { readTable } from "./table.ts";

const read = (name: string, text: string | Buffer) => readTable(name, Buffer.from(text));

/** A .npy file as NumPy writes it. */
function npy(descr: string, shape: string, data: Buffer, fortran = "False"): Buffer {
  const header = `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }`;
  const padded = header.padEnd(64 * Math.ceil((header.length + 11) / 64) - 11);
  const length = Buffer.alloc(2);
  length.writeUInt16LE(padded.length + 1);
  return Buffer.concat([Buffer.from("\x93NUMPY\x01\x00", "latin1"), length, Buffer.from(`${padded}\n`), data]);
}

const doubles = (...values: number[]) => Buffer.from(new Float64Array(values).buffer);

test("a CSV's columns are numbers where all of a column are, with what is missing as null", () => {
  expect(read("a.csv", '\ufeffx,name,y\r\n1,"a, ""b""",\n-2.5e3,,NaN\n')).toEqual({
    columns: ["x", "name", "y"],
    rows: [
      [1, 'a, "b"', ""],
      [-2500, "", "NaN"],
    ],
    values: 6,
  });
  expect(read("a.csv", "x\n1\n\nNA\n3\n").rows).toEqual([[1], [null], [3]]);
});

test("JSON's rows are as they are", () => {
  expect(read("a.json", '[{"a":[1,null]},"b",3]')).toMatchObject({ columns: null, rows: [{ a: [1, null] }, "b", 3] });
});

test.each([
  [
    "<f8",
    "(2, 2)",
    doubles(1, 2, 3.5, Number.NaN),
    [
      [1, 2],
      [3.5, null],
    ],
  ],
  [">i2", "(3,)", Buffer.from([0, 1, 255, 255, 1, 0]), [1, -1, 256]],
  ["<i8", "(1,)", Buffer.from(new BigInt64Array([-5n]).buffer), [-5]],
  ["|b1", "(2,)", Buffer.from([0, 1]), [false, true]],
  ["<U2", "(2,)", Buffer.from(new Uint32Array([97, 0, 0x1f600, 98]).buffer), ["a", "😀b"]],
])("NumPy's %s of shape %s is read", (type, shape, data, rows) => {
  expect(read("a.npy", npy(type, shape, data)).rows).toEqual(rows);
});

test.each([
  ["another ending", "a.pkl", "x", /is no data file that can be read/],
  ["rows of several lengths", "a.csv", "x,y\n1\n", /Invalid Record Length/],
  ["quotes that do not end", "a.csv", 'x\n"1\n', /Quote Not Closed/],
  ["no rows", "a.csv", "x,y\n", /has no rows/],
  ["no JSON", "a.json", "[1,", /is not JSON/],
  ["JSON that is no list", "a.json", '{"rows":[1]}', /must be a list/],
  ["a number that no double holds", "a.json", "[1e999]", /too large/],
  ["depth", "a.json", `${"[".repeat(40)}${"]".repeat(40)}`, /nested deeper/],
  ["pickled objects", "a.npy", npy("|O", "(1,)", Buffer.alloc(8)), /objects would be pickles/],
  ["a structured type", "a.npy", npy("<f8'), ('x', '<f8", "(1,)", Buffer.alloc(8)), /header that cannot be read/],
  ["a file that lies about its size", "a.npy", npy("<f8", "(1000000000, 1000000000)", doubles(1)), /not as long as/],
  ["a file cut short", "a.npy", npy("<f8", "(2,)", doubles(1)), /not as long as/],
  ["Fortran's order", "a.npy", npy("<f8", "(1, 1)", doubles(1), "True"), /ascontiguousarray/],
  ["an integer past 2^53", "a.npy", npy("<u8", "(1,)", Buffer.alloc(8, 255)), /beyond 2\^53/],
  ["no magic", "a.npy", "PK\x03\x04 and so on", /is not a \.npy file/],
] as const)("%s is refused, with the file's name", (_, name, text, message) => {
  expect(() => read(name, text)).toThrow(TaskError);
  expect(() => read(name, text)).toThrow(message);
  expect(() => read(name, text)).toThrow(name);
});

test.each([
  ["labels", "abc", 3, /a list of 3 predictions was asked for/],
  ["labels", { length: 3 }, 3, /a list of 3/],
  ["labels", [1], 2, /2 predictions were asked for, and 1 came/],
  ["labels", [1, null], 2, /prediction 1 is not a label/],
  ["numbers", [1, "2"], 2, /prediction 1 is not a number/],
  ["scores", [[0.5]], 1, /prediction 0 is not a number/],
  ["probabilities", [[0.5, 0.6]], 1, /probability of each class, 1 together/],
  ["probabilities", [[1.5, -0.5]], 1, /probability/],
  ["probabilities", [[1]], 1, /probability/],
] as const)("as %s, %j are no predictions", (asked, answer, rows, message) => {
  expect(readPredictions(asked, answer, rows, 2)).toMatch(message);
});

test("true and false are 1 and 0, and one probability of two tells the other", () => {
  expect(readPredictions("labels", [true, false, "x"], 3, 0)).toEqual([1, 0, "x"]);
  expect(readPredictions("probabilities", [0.25], 1, 2)).toEqual([[0.75, 0.25]]);
});
