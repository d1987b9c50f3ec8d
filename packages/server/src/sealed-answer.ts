/**
 * Answers kept under an idempotency key may hold a secret that is shown but once. So they are encrypted with the caller's
 * key itself, of which the database has nothing but a hash: who reads the database cannot read them.
 */
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from "node:crypto";

const CIPHER = "aes-256-gcm";
const NONCE = 12;
const TAG = 16;

/** What stands in the table for the key. */
export function keyHash(caller: string, key: string): string {
  return createHash("sha256").update(`${caller}\0${key}`).digest("hex");
}

const secretOf = (caller: string, key: string): Buffer =>
  Buffer.from(hkdfSync("sha256", key, caller, "lanista idempotent answer", 32));

export function seal(caller: string, key: string, answer: Uint8Array): Buffer {
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv(CIPHER, secretOf(caller, key), nonce);
  return Buffer.concat([nonce, cipher.update(answer), cipher.final(), cipher.getAuthTag()]);
}

/** Throws where the bytes are not what `seal` made with this key. */
export function unseal(caller: string, key: string, sealed: Buffer): Buffer {
  const decipher = createDecipheriv(CIPHER, secretOf(caller, key), sealed.subarray(0, NONCE));
  decipher.setAuthTag(sealed.subarray(-TAG));
  return Buffer.concat([decipher.update(sealed.subarray(NONCE, -TAG)), decipher.final()]);
}
