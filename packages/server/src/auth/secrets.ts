/** Secrets that the server hands out once and knows only by their SHA-256: tokens, invitations' codes. */
import { createHash, randomBytes } from "node:crypto";

/** Tells a token of ours from a session's. */
export const TOKEN_START = "lanista_";
const BYTES = 32;
const SHOWN = TOKEN_START.length + 6;

export interface NewSecret {
  readonly secret: string;
  /** Its first characters, to tell it from others. */
  readonly prefix: string;
  readonly hash: Buffer;
}

/** 256 bits: no guess reaches it, and a plain hash of it is safe to store. */
export function newSecret(start = TOKEN_START): NewSecret {
  const secret = `${start}${randomBytes(BYTES).toString("base64url")}`;
  return { secret, prefix: secret.slice(0, SHOWN), hash: hashSecret(secret) };
}

export function hashSecret(secret: string): Buffer {
  return createHash("sha256").update(secret).digest();
}
