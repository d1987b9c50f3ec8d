/**
 * What a running job gives before its end: lines of its replay and its seats' logs, in numbered pieces. A piece is kept until
 * the server has it, and comes again under its number if an answer was lost; the server takes it once.
 */
import { create } from "@bufbuild/protobuf";
import { type JobOutput, JobOutputSchema } from "@lanista/api/gen/lanista/v1/workers_pb";

/** Characters of a piece. */
const MAX_PIECE = 32 * 1024;
/** Characters of moves that may wait for a server out of reach; then the rest is left to the replay, which comes at the end. */
const MAX_WAITING_MOVES = 4 * 1024 * 1024;
const MOVES = -1;

const isFirstHalf = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;

interface Piece {
  readonly seat: number;
  text: string;
  seq: bigint | undefined;
}

export class JobOutputBuffer {
  readonly #pieces: Piece[] = [];
  readonly #decoders = new Map<number, TextDecoder>();
  readonly #onNew: () => void;
  #nextSeq = 0n;
  #waitingMoves = 0;
  #movesCut = false;

  /** `onNew` is called when there is something to send. */
  constructor(onNew: () => void) {
    this.#onNew = onNew;
  }

  /** A line of the replay, without its newline. */
  move(line: string): void {
    if (this.#movesCut) return;
    this.#waitingMoves += line.length + 1;
    // Lines after a hole would say something else than what was played.
    if (this.#waitingMoves > MAX_WAITING_MOVES) this.#movesCut = true;
    else this.#add(MOVES, `${line}\n`);
  }

  /** Bytes of a seat's log, cut anywhere. */
  log(seat: number, bytes: Buffer): void {
    let decoder = this.#decoders.get(seat);
    if (decoder === undefined) {
      decoder = new TextDecoder();
      this.#decoders.set(seat, decoder);
    }
    // PostgreSQL's text holds every character but this one.
    const text = decoder.decode(bytes, { stream: true }).replaceAll("\0", "\ufffd");
    for (let at = 0; at < text.length; ) {
      const part = text.slice(at, at + MAX_PIECE);
      // Not between the halves of a character.
      const whole = part.length === MAX_PIECE && isFirstHalf(part.charCodeAt(MAX_PIECE - 1)) ? part.slice(0, -1) : part;
      this.#add(seat, whole);
      at += whole.length;
    }
  }

  #add(seat: number, text: string): void {
    const last = this.#pieces.at(-1);
    if (
      last !== undefined &&
      last.seq === undefined &&
      last.seat === seat &&
      last.text.length + text.length <= MAX_PIECE
    )
      last.text += text;
    else this.#pieces.push({ seat, text, seq: undefined });
    this.#onNew();
  }

  get empty(): boolean {
    return this.#pieces.length === 0;
  }

  /** The first pieces that the server does not have, at most so many of them, of so many characters; the first in any case. */
  waiting(mostPieces: number, mostCharacters: number): JobOutput[] {
    const found: JobOutput[] = [];
    let characters = 0;
    for (const piece of this.#pieces) {
      characters += piece.text.length;
      if (found.length === mostPieces || (found.length > 0 && characters > mostCharacters)) break;
      piece.seq ??= this.#nextSeq++;
      const { seq, seat, text } = piece;
      found.push(
        create(JobOutputSchema, {
          seq,
          piece: seat === MOVES ? { case: "moves", value: text } : { case: "log", value: { seat, text } },
        }),
      );
    }
    return found;
  }

  /** The server has these. */
  taken(output: readonly JobOutput[]): void {
    const last = output.at(-1)?.seq;
    if (last === undefined) return;
    while (this.#pieces[0]?.seq !== undefined && this.#pieces[0].seq <= last) {
      const { seat, text } = this.#pieces.shift()!;
      if (seat === MOVES) this.#waitingMoves -= text.length;
    }
  }
}
