/** What both stores check alike. */
import { createHash } from "node:crypto";
import { LanistaError } from "@lanista/api/errors";

/** Throws LanistaError `invalid` on what is no SHA-256 in hexadecimal: it would name a path. */
export function checkDigest(digest: string): void {
  if (!/^[0-9a-f]{64}$/.test(digest)) throw new LanistaError("invalid", "a digest is 64 hexadecimal digits");
}

/** Passes the bytes on, and fails at the end, or as soon as they are too many, unless they are what was expected. */
export async function* verified(
  from: AsyncIterable<Uint8Array>,
  expected: { readonly digest: string; readonly size: number },
): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const piece of from) {
    size += piece.byteLength;
    if (size > expected.size) break;
    hash.update(piece);
    yield piece;
  }
  if (size !== expected.size)
    throw new LanistaError(
      "invalid",
      `the bytes are not ${expected.size}, as was said, but ${size > expected.size ? "more" : size}`,
    );
  const digest = hash.digest("hex");
  if (digest !== expected.digest)
    throw new LanistaError("invalid", `the bytes' SHA-256 is ${digest}, not ${expected.digest} as was said`, {
      hint: "Send the upload again.",
    });
}

/** Turns a missing file or key into `not_found`; rethrows the rest. */
export function missing(error: unknown, name: string): never {
  const { code, name: kind } = error as { code?: string; name?: string };
  if (code === "ENOENT" || kind === "NoSuchKey" || kind === "NotFound")
    throw new LanistaError("not_found", `${name} is not in the store`, { cause: error });
  throw error;
}
