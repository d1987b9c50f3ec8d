import { Duplex } from "node:stream";
import { expect, test } from "vitest";
import { AttachedStreams } from "./streams.ts";

/** A connection whose other end this test is. */
class Wire extends Duplex {
  readonly written: string[] = [];
  paused = false;

  override _read(): void {
    this.paused = false;
  }
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.written.push(chunk.toString());
    done();
  }
}

function frame(stream: 1 | 2, text: string): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

test.each([1, 3, 7, 8, 9, 1000])(
  "frames cut into pieces of %i bytes come out whole, each in its stream",
  async (size) => {
    const wire = new Wire();
    const streams = new AttachedStreams(wire);
    const said = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const)
      streams[name].on("data", (piece: Buffer) => (said[name] += piece.toString()));
    const bytes = Buffer.concat([
      frame(1, "one "),
      frame(2, "zwei "),
      frame(1, ""),
      frame(1, "three"),
      frame(2, "vier"),
    ]);
    for (let at = 0; at < bytes.length; at += size) wire.push(bytes.subarray(at, at + size));
    wire.push(null);
    await streams.ended;
    await turn();
    expect(said).toEqual({ stdout: "one three", stderr: "zwei vier" });
    expect(streams.outputBytes).toBe(18);
  },
);

test("what is not read is not taken, until the program is gone", async () => {
  const wire = new Wire();
  const streams = new AttachedStreams(wire);
  const piece = frame(1, "x".repeat(64 * 1024));
  for (let count = 0; count < 40; count++) wire.push(piece);
  await turn();
  expect(streams.outputBytes).toBeLessThan(256 * 1024);
  streams.takeAll();
  wire.push(null);
  await streams.ended;
  expect(streams.outputBytes).toBe(40 * 64 * 1024);
});

test("what the program reads goes in as it is, after what must come before", async () => {
  const wire = new Wire();
  const order: string[] = [];
  const streams = new AttachedStreams(wire, async () => void order.push("before"));
  streams.stdin.end("line\n");
  await turn();
  expect([order, wire.written, wire.writableEnded]).toEqual([["before", "before"], ["line\n"], true]);
});
