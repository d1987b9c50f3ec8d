/** The frames between the host and a build box (guest/python/packages_build.py): kind, stream, length, bytes. */

export interface Frame {
  readonly kind: string;
  readonly stream: number;
  readonly data: Buffer;
}

const HEAD_BYTES = 9;
/** The longest that the box may send; it sends pieces of 60 KiB. */
const LONGEST = 64 * 1024;

export function frame(kind: string, stream: number, data: Uint8Array = Buffer.alloc(0)): Buffer {
  const out = Buffer.allocUnsafe(HEAD_BYTES + data.length);
  out.writeUInt8(kind.charCodeAt(0), 0);
  out.writeUInt32BE(stream, 1);
  out.writeUInt32BE(data.length, 5);
  out.set(data, HEAD_BYTES);
  return out;
}

/** Puts frames together from pieces. Throws on one that is too long: then what comes is no frames. */
export class FrameReader {
  #pieces: Buffer[] = [];
  #bytes = 0;

  *read(chunk: Buffer): Generator<Frame> {
    this.#pieces.push(chunk);
    this.#bytes += chunk.length;
    for (;;) {
      if (this.#bytes < HEAD_BYTES) return;
      const all = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces);
      this.#pieces = [all];
      const length = all.readUInt32BE(5);
      if (length > LONGEST) throw new Error("the build wrote something else than frames");
      if (all.length < HEAD_BYTES + length) return;
      this.#pieces = [all.subarray(HEAD_BYTES + length)];
      this.#bytes -= HEAD_BYTES + length;
      yield {
        kind: String.fromCharCode(all[0]!),
        stream: all.readUInt32BE(1),
        data: all.subarray(HEAD_BYTES, HEAD_BYTES + length),
      };
    }
  }
}
