/** NumPy's .npy files (its format 1.0 … 3.0): numbers, booleans and texts. Never objects, which are pickles: those run code. */
import { TaskError } from "../task-error.ts";
import type { Json, Table } from "./table.ts";

const MAGIC = Buffer.from("\x93NUMPY", "latin1");
const HEADER =
  /^\s*\{\s*'descr':\s*'([^']{1,16})',\s*'fortran_order':\s*(True|False),\s*'shape':\s*\(([\d,\s]*)\),?\s*\}\s*$/;

type Read = (view: DataView, at: number, little: boolean) => Json;

const number = (value: number): Json => (Number.isFinite(value) ? value : null);
const big = (value: bigint): Json => {
  if (value > 2n ** 53n || value < -(2n ** 53n)) throw new RangeError("holds an integer beyond 2^53");
  return Number(value);
};
const READS: Readonly<Record<string, Read>> = {
  b1: (view, at) => view.getUint8(at) !== 0,
  i1: (view, at) => view.getInt8(at),
  u1: (view, at) => view.getUint8(at),
  i2: (view, at, little) => view.getInt16(at, little),
  u2: (view, at, little) => view.getUint16(at, little),
  i4: (view, at, little) => view.getInt32(at, little),
  u4: (view, at, little) => view.getUint32(at, little),
  i8: (view, at, little) => big(view.getBigInt64(at, little)),
  u8: (view, at, little) => big(view.getBigUint64(at, little)),
  f4: (view, at, little) => number(view.getFloat32(at, little)),
  f8: (view, at, little) => number(view.getFloat64(at, little)),
};

/** Throws TaskError. Its rows are its first axis; what is not finite becomes null. */
export function readNpy(name: string, bytes: Buffer): Table {
  const wrong = (why: string): TaskError => new TaskError(`${name}: ${why}`);
  if (bytes.length < 12 || !bytes.subarray(0, 6).equals(MAGIC)) throw wrong("is not a .npy file");
  const long = bytes[6]! >= 2;
  const start = long ? 12 : 10;
  const end = start + (long ? bytes.readUInt32LE(8) : bytes.readUInt16LE(8));
  const header = end <= bytes.length && end - start < 65_536 ? HEADER.exec(bytes.toString("latin1", start, end)) : null;
  if (header === null) throw wrong("has a header that cannot be read (fields, objects and nested types cannot)");
  const [, type, fortran, dimensions] = header as unknown as [string, string, string, string];
  const shape = dimensions.split(",").flatMap((part) => (part.trim() === "" ? [] : [Number(part)]));
  if (shape.length === 0 || shape.length > 8) throw wrong("must have one to eight axes");
  if (fortran === "True" && shape.length > 1) throw wrong("is in Fortran's order: save numpy.ascontiguousarray of it");
  const form = /^([<>|=])(?:([biuf][1248])|U(\d{1,5}))$/.exec(type);
  if (form === null)
    throw wrong(`holds "${type}", which is not read: numbers, booleans and texts are (objects would be pickles)`);
  const little = form[1] !== ">";
  const length = form[3] === undefined ? Number(form[2]![1]) : 4 * Number(form[3]);
  const read: Read | undefined = form[3] === undefined ? READS[form[2]!] : text(Number(form[3]));
  if (read === undefined || length === 0) throw wrong(`holds "${type}", which is not read`);
  const values = shape.reduce((product, extent) => product * extent, 1);
  if (end + values * length !== bytes.length) throw wrong("is not as long as its header says");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = end;
  const build = (axis: number): Json => {
    if (axis < shape.length) return Array.from({ length: shape[axis]! }, () => build(axis + 1));
    const value = read(view, at, little);
    at += length;
    return value;
  };
  try {
    return { columns: null, rows: build(0) as Json[], values };
  } catch (error) {
    if (error instanceof RangeError) throw wrong(error.message);
    throw error;
  }
}

/** Code points of four bytes each, filled up with zeros. */
function text(length: number): Read {
  return (view, at, little) => {
    let value = "";
    for (let i = 0; i < length; i++) {
      const point = view.getUint32(at + 4 * i, little);
      if (point === 0) break;
      value += String.fromCodePoint(point);
    }
    return value;
  };
}
