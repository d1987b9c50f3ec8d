/**
 * Bytes under their SHA-256: bundles and replays. What is in it never changes, so nothing of it needs a lock; a blob is
 * there as a whole or not at all. A folder by default, any S3-compatible store by URL.
 */
import type { Readable } from "node:stream";

export interface BlobStore {
  /** Stores the bytes under the digest they turn out to have. What is there already is young again. */
  put(bytes: Uint8Array): Promise<{ digest: string; size: number }>;
  /** The same of a stream. Throws LanistaError `invalid` where the digest or the size turns out another. */
  putStream(from: AsyncIterable<Uint8Array>, expected: { digest: string; size: number }): Promise<void>;
  has(digest: string): Promise<boolean>;
  /** Throws LanistaError `not_found`. */
  get(digest: string): Promise<Uint8Array>;
  /** Throws LanistaError `not_found`, before it returns. */
  open(digest: string): Promise<Readable>;
  delete(digest: string): Promise<void>;
  /** Makes it as young as if it had been put now, or younger than twelve hours. False where it is not there. */
  touch(digest: string): Promise<boolean>;
  /** Deletes it if it was not put or touched for so long. Whether it did. */
  deleteOlder(digest: string, seconds: number): Promise<boolean>;
  /** Every digest in it. */
  list(): AsyncIterable<string>;
  /** Parts of uploads not yet whole: named by the upload and the offset. */
  putPart(upload: string, offset: number, bytes: Uint8Array): Promise<void>;
  /** The parts of an upload one after the other, by offset. */
  parts(upload: string): AsyncIterable<Uint8Array>;
  deleteParts(upload: string): Promise<void>;
  /** Whether it can be reached; for readiness. Throws where it cannot. */
  check(): Promise<void>;
}
