/**
 * Writes zips byte by byte, so that a test can say anything in them, true or not. Layout: APPNOTE.TXT 6.3, sections
 * 4.3.7 (local header), 4.3.12 (central directory) and 4.3.14–16 (the ends).
 */
import { crc32, deflateRawSync } from "node:zlib";

export interface ZipEntry {
  readonly name: string | Uint8Array;
  readonly data?: Uint8Array | string;
  /** Default true. */
  readonly deflate?: boolean;
  /** Unix mode with its format bits, such as 0o120777 for a link. Default a plain file's. */
  readonly mode?: number;
  readonly flags?: number;
  readonly method?: number;
  readonly extra?: Uint8Array;
  readonly comment?: Uint8Array;
  /** What the central directory says in place of the truth. */
  readonly said?: {
    readonly size?: number;
    readonly packedSize?: number;
    readonly crc?: number;
    readonly offset?: number;
  };
}

export interface ZipEnd {
  readonly comment?: Uint8Array;
  /** The number of entries that the end says there are. */
  readonly count?: number;
  /** Adds the ZIP64 end, whose 64-bit count then holds. */
  readonly zip64Count?: bigint;
}

export function extraField(id: number, data: Uint8Array): Uint8Array {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(id, 0);
  head.writeUInt16LE(data.length, 2);
  return Buffer.concat([head, data]);
}

export function writeZip(entries: readonly ZipEntry[], end: ZipEnd = {}): Buffer {
  const parts: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const { local, record } = writeEntry(entry, offset);
    parts.push(local);
    offset += local.length;
    central.push(record);
  }
  const directory = Buffer.concat(central);
  return Buffer.concat([...parts, directory, writeEnd(entries.length, directory.length, offset, end)]);
}

/** A local header with its data, and the central record that points at it. */
export function writeEntry(entry: ZipEntry, offset: number): { local: Buffer; record: Buffer } {
  const name = typeof entry.name === "string" ? Buffer.from(entry.name) : entry.name;
  const data = Buffer.from(entry.data ?? "");
  const deflate = entry.deflate ?? true;
  const packed = deflate ? deflateRawSync(data, { level: 9 }) : data;
  const extra = entry.extra ?? new Uint8Array();
  const comment = entry.comment ?? new Uint8Array();
  const method = entry.method ?? (deflate ? 8 : 0);
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt16LE(entry.flags ?? 0x800, 2);
  common.writeUInt16LE(method, 4);
  common.writeUInt32LE(entry.said?.crc ?? crc32(data), 10);
  common.writeUInt32LE(entry.said?.packedSize ?? packed.length, 14);
  common.writeUInt32LE(entry.said?.size ?? data.length, 18);
  common.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([signature(0x04034b50), common, name, packed]);
  common.writeUInt16LE(extra.length, 24);
  const rest = Buffer.alloc(14);
  rest.writeUInt16LE(comment.length, 0);
  rest.writeUInt32LE((entry.mode ?? 0o100644) * 65536, 6);
  rest.writeUInt32LE(entry.said?.offset ?? offset, 10);
  const madeBy = Buffer.from([20, 3]); // Unix
  const record = Buffer.concat([signature(0x02014b50), madeBy, common, rest, name, extra, comment]);
  return { local, record };
}

export function writeEnd(count: number, size: number, offset: number, end: ZipEnd = {}): Buffer {
  const comment = end.comment ?? new Uint8Array();
  const last = Buffer.alloc(18);
  last.writeUInt16LE(Math.min(end.count ?? count, 0xffff), 4);
  last.writeUInt16LE(Math.min(end.count ?? count, 0xffff), 6);
  last.writeUInt32LE(size, 8);
  last.writeUInt32LE(offset, 12);
  last.writeUInt16LE(comment.length, 16);
  const zip64 = end.zip64Count === undefined ? [] : [writeZip64End(end.zip64Count, size, offset)];
  return Buffer.concat([...zip64, signature(0x06054b50), last, comment]);
}

function writeZip64End(count: bigint, size: number, offset: number): Buffer {
  const record = Buffer.alloc(52);
  record.writeBigUInt64LE(44n, 0);
  record.writeUInt16LE(45, 8);
  record.writeUInt16LE(45, 10);
  record.writeBigUInt64LE(count, 20);
  record.writeBigUInt64LE(count, 28);
  record.writeBigUInt64LE(BigInt(size), 36);
  record.writeBigUInt64LE(BigInt(offset), 44);
  const locator = Buffer.alloc(16);
  locator.writeBigUInt64LE(BigInt(offset + size), 4);
  locator.writeUInt32LE(1, 12);
  return Buffer.concat([signature(0x06064b50), record, signature(0x07064b50), locator]);
}

function signature(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
