/** The frames between a box of a legacy bundle and the host: u32 length of what follows, u8 kind, u32 session, payload. */
export const KIND = {
  start: 1,
  answer: 2,
  failure: 3,
  gone: 4,
  stdout: 16,
  stderr: 17,
  open: 18,
  ask: 19,
  interrupt: 20,
  shut: 21,
  unsplit: 22,
  end: 23,
} as const;

export interface Frame {
  readonly kind: number;
  readonly session: number;
  readonly payload: Buffer;
  /** All of it, to be passed on. */
  readonly raw: Buffer;
}

const HEAD = 9;
/** Of one frame, without its length. */
export const LARGEST_FRAME = 16 * 1024 * 1024;

export function frame(kind: number, session: number, payload: Buffer): Buffer {
  const made = Buffer.allocUnsafe(HEAD + payload.length);
  made.writeUInt32LE(payload.length + HEAD - 4, 0);
  made.writeUInt8(kind, 4);
  made.writeUInt32LE(session, 5);
  payload.copy(made, HEAD);
  return made;
}

export const jsonFrame = (kind: number, session: number, value: unknown): Buffer =>
  frame(kind, session, Buffer.from(JSON.stringify(value)));

/** The same frame, of another session: written over. */
export function ofSession(raw: Buffer, session: number): Buffer {
  raw.writeUInt32LE(session, 5);
  return raw;
}

/** Puts frames together from chunks. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #size = 0;

  /** The frames that this chunk completes. Throws a RangeError on a length that no frame has. */
  push(chunk: Buffer): Frame[] {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    const frames: Frame[] = [];
    for (;;) {
      const length = this.#length();
      if (length === undefined || this.#size < length + 4) return frames;
      const whole = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks, this.#size);
      const raw = whole.subarray(0, length + 4);
      frames.push({ kind: raw[4]!, session: raw.readUInt32LE(5), payload: raw.subarray(HEAD), raw });
      const rest = whole.subarray(length + 4);
      this.#chunks = rest.length === 0 ? [] : [rest];
      this.#size = rest.length;
    }
  }

  #length(): number | undefined {
    if (this.#size < 4) return undefined;
    if (this.#chunks[0]!.length < 4) this.#chunks = [Buffer.concat(this.#chunks, this.#size)];
    const length = this.#chunks[0]!.readUInt32LE(0);
    if (length < HEAD - 4 || length > LARGEST_FRAME) throw new RangeError(`a frame of ${length} bytes`);
    return length;
  }
}
