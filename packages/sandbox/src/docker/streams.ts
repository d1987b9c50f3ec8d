/**
 * A program's standard streams over the one connection that an engine gives for them: what it reads goes in raw, what it
 * says comes out in frames (one byte for the stream, three of nothing, four for the length). Nothing is held beyond a
 * piece of each stream: where the caller does not read, the engine is not read from either, and stops the program.
 */
import { type Duplex, Readable, Writable } from "node:stream";

const HEADER = 8;
const STDERR = 2;
/** Bytes held of each output that the caller has not read. */
const HELD = 64 * 1024;
/** The same when the program has gone: what was under way in pipes and in the engine, which holds up to 1 MiB a stream. */
const HELD_AT_THE_END = 4 * 1024 * 1024;

export class AttachedStreams {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Resolves when the connection has ended, and with it both outputs. */
  readonly ended: Promise<void>;
  readonly #connection: Duplex;
  #bytes = 0;
  #header = Buffer.alloc(0);
  #left = 0;
  #into: Readable;
  #last = false;

  /** `before` is waited for ahead of each write to the program. */
  constructor(connection: Duplex, before?: () => Promise<void>) {
    this.#connection = connection;
    const read = (): void => void connection.resume();
    this.stdout = new Readable({ read, highWaterMark: HELD });
    this.stderr = new Readable({ read, highWaterMark: HELD });
    this.#into = this.stdout;
    this.stdin = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        const pass = (): void => void connection.write(chunk, done);
        if (before === undefined) pass();
        else before().then(pass, done);
      },
      final: (done) => {
        const close = (): void => void connection.end(() => done());
        if (before === undefined) close();
        else before().then(close, done);
      },
    });
    for (const stream of [this.stdin, this.stdout, this.stderr]) stream.on("error", () => stream.destroy());
    connection.on("data", (piece: Buffer) => {
      if (!this.#take(piece)) connection.pause();
    });
    this.ended = new Promise((resolve) => {
      const end = (): void => {
        for (const stream of [this.stdout, this.stderr]) if (!stream.readableEnded) stream.push(null);
        this.stdin.destroy();
        resolve();
      };
      connection.once("end", end);
      connection.once("close", end);
      connection.on("error", () => connection.destroy());
    });
  }

  /** Bytes of both outputs that came so far. */
  get outputBytes(): number {
    return this.#bytes;
  }

  /**
   * For when the program is gone or killed: all that is under way is taken over, read or not. The engine says that a container
   * has ended only when it has got rid of its output.
   */
  takeAll(): void {
    this.#last = true;
    this.#connection.resume();
  }

  /** Gives up what has not come yet. */
  destroy(): void {
    this.#connection.destroy();
  }

  /** Says whether more may come. */
  #take(piece: Buffer): boolean {
    let room = true;
    let at = 0;
    while (at < piece.length) {
      if (this.#left === 0) {
        const part = piece.subarray(at, at + HEADER - this.#header.length);
        at += part.length;
        this.#header = Buffer.concat([this.#header, part]);
        if (this.#header.length < HEADER) break;
        this.#into = this.#header[0] === STDERR ? this.stderr : this.stdout;
        this.#left = this.#header.readUInt32BE(4);
        this.#header = Buffer.alloc(0);
        continue;
      }
      const part = piece.subarray(at, at + this.#left);
      at += part.length;
      this.#left -= part.length;
      if (this.#into.destroyed) continue;
      if (this.#last && this.#into.readableLength > HELD_AT_THE_END) continue;
      this.#bytes += part.length;
      if (!this.#into.push(part)) room = false;
    }
    return room || this.#last;
  }
}
