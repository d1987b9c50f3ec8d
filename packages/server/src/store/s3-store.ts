/**
 * The store in an S3-compatible bucket: `blobs/ab/abcd…` and `parts/UPLOAD/OFFSET` below a prefix. A PUT is atomic there, so
 * a blob is whole or absent; its digest is checked before it is sent.
 */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { LanistaError } from "@lanista/api/errors";
import { checkDigest, missing, verified } from "./checks.ts";
import type { BlobStore } from "./store.ts";

const YOUNG_MS = 12 * 3_600_000;

export interface S3Place {
  readonly bucket: string;
  /** Without slashes at its ends; may be empty. */
  readonly prefix: string;
  /** Of a store that is not Amazon's, such as `http://minio:9000`. */
  readonly endpoint: string | undefined;
  readonly region: string;
}

/**
 * `s3://bucket/prefix?endpoint=http://host:9000&region=eu-1`. Keys come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or
 * whatever else the AWS SDK reads. Throws LanistaError `invalid`.
 */
export function parseS3Url(url: string): S3Place {
  const parsed = new URL(url);
  const known = new Set(["endpoint", "region"]);
  const unknown = [...parsed.searchParams.keys()].find((key) => !known.has(key));
  if (unknown !== undefined)
    throw new LanistaError("invalid", `the store's URL has "${unknown}", but only endpoint and region are known there`);
  if (parsed.hostname === "") throw new LanistaError("invalid", "the store's URL names no bucket: s3://bucket/prefix");
  return {
    bucket: parsed.hostname,
    prefix: parsed.pathname.replace(/^\/+|\/+$/g, ""),
    endpoint: parsed.searchParams.get("endpoint") ?? undefined,
    region: parsed.searchParams.get("region") ?? process.env.AWS_REGION ?? "us-east-1",
  };
}

export class S3Store implements BlobStore {
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #youngMs: number;

  /** `youngMs`: what was put in so short a time ago is not touched. */
  constructor(place: S3Place, youngMs: number = YOUNG_MS) {
    this.#youngMs = youngMs;
    this.#bucket = place.bucket;
    this.#prefix = place.prefix === "" ? "" : `${place.prefix}/`;
    this.#client = new S3Client({
      region: place.region,
      ...(place.endpoint === undefined ? {} : { endpoint: place.endpoint, forcePathStyle: true }),
    });
  }

  #key(digest: string): string {
    checkDigest(digest);
    return `${this.#prefix}blobs/${digest.slice(0, 2)}/${digest}`;
  }

  #object(Key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key };
  }

  async put(bytes: Uint8Array): Promise<{ digest: string; size: number }> {
    const digest = createHash("sha256").update(bytes).digest("hex");
    if (!(await this.touch(digest)))
      await this.#client.send(new PutObjectCommand({ ...this.#object(this.#key(digest)), Body: bytes }));
    return { digest, size: bytes.byteLength };
  }

  /** By way of a file: nothing is sent before all of it was seen to be right. */
  async putStream(from: AsyncIterable<Uint8Array>, expected: { digest: string; size: number }): Promise<void> {
    const key = this.#key(expected.digest);
    const folder = await mkdtemp(join(tmpdir(), "lanista-blob-"));
    try {
      const file = join(folder, "blob");
      await pipeline(verified(from, expected), createWriteStream(file));
      const Body = createReadStream(file);
      await this.#client.send(new PutObjectCommand({ ...this.#object(key), Body, ContentLength: expected.size }));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async has(digest: string): Promise<boolean> {
    return (await this.#storedAt(digest)) !== undefined;
  }

  /** In milliseconds since 1970, by the store's clock; undefined where it is not there. */
  async #storedAt(digest: string): Promise<number | undefined> {
    try {
      const { LastModified } = await this.#client.send(new HeadObjectCommand(this.#object(this.#key(digest))));
      return LastModified?.getTime() ?? Date.now();
    } catch (error) {
      if ((error as { name?: string }).name === "NotFound") return undefined;
      throw error;
    }
  }

  /** A copy onto itself, where it is old: nothing else changes an object's time. */
  async touch(digest: string): Promise<boolean> {
    const storedAt = await this.#storedAt(digest);
    if (storedAt === undefined) return false;
    if (Date.now() - storedAt < this.#youngMs) return true;
    const key = this.#key(digest);
    const CopySource = encodeURI(`${this.#bucket}/${key}`);
    try {
      await this.#client.send(
        new CopyObjectCommand({ ...this.#object(key), CopySource, MetadataDirective: "REPLACE" }),
      );
      return true;
    } catch (error) {
      if ((error as { name?: string }).name === "NoSuchKey") return false;
      throw error;
    }
  }

  async deleteOlder(digest: string, seconds: number): Promise<boolean> {
    const storedAt = await this.#storedAt(digest);
    if (storedAt === undefined || Date.now() - storedAt < seconds * 1000) return false;
    await this.delete(digest);
    return true;
  }

  async get(digest: string): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    for await (const piece of await this.open(digest)) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  async open(digest: string): Promise<Readable> {
    const found = await this.#client
      .send(new GetObjectCommand(this.#object(this.#key(digest))))
      .catch((error) => missing(error, digest));
    return found.Body as Readable;
  }

  async delete(digest: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand(this.#object(this.#key(digest))));
  }

  async *#keys(prefix: string): AsyncIterable<string> {
    let ContinuationToken: string | undefined;
    do {
      const page = await this.#client.send(
        new ListObjectsV2Command({
          Bucket: this.#bucket,
          Prefix: `${this.#prefix}${prefix}`,
          ...(ContinuationToken === undefined ? {} : { ContinuationToken }),
        }),
      );
      for (const each of page.Contents ?? []) if (each.Key !== undefined) yield each.Key;
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
  }

  async *list(): AsyncIterable<string> {
    for await (const key of this.#keys("blobs/")) yield key.slice(-64);
  }

  async putPart(upload: string, offset: number, bytes: Uint8Array): Promise<void> {
    const key = `${this.#prefix}parts/${upload}/${String(offset).padStart(16, "0")}`;
    await this.#client.send(new PutObjectCommand({ ...this.#object(key), Body: bytes }));
  }

  async *parts(upload: string): AsyncIterable<Uint8Array> {
    const keys: string[] = [];
    for await (const key of this.#keys(`parts/${upload}/`)) keys.push(key);
    for (const key of keys.sort()) {
      const found = await this.#client.send(new GetObjectCommand(this.#object(key)));
      yield await found.Body!.transformToByteArray();
    }
  }

  async deleteParts(upload: string): Promise<void> {
    const keys: string[] = [];
    for await (const key of this.#keys(`parts/${upload}/`)) keys.push(key);
    const most = 1000;
    for (let first = 0; first < keys.length; first += most)
      await this.#client.send(
        new DeleteObjectsCommand({
          Bucket: this.#bucket,
          Delete: { Objects: keys.slice(first, first + most).map((Key) => ({ Key })) },
        }),
      );
  }

  async check(): Promise<void> {
    await this.#client.send(new HeadBucketCommand({ Bucket: this.#bucket }));
  }
}
