/** A request's body as a whole, bounded. */

import { LanistaError } from "@lanista/api/errors";
import type { NodeServerRequest } from "./node.ts";

/** Throws LanistaError `too_large` as soon as it is. */
export async function readBody(request: NodeServerRequest, most: number): Promise<Buffer> {
  const tooLarge = () => new LanistaError("too_large", `a request to this address has at most ${most} bytes`);
  if (Number(request.headers["content-length"] ?? 0) > most) throw tooLarge();
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    size += piece.byteLength;
    if (size > most) throw tooLarge();
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
