/** Bundles on their way to a server: small ones inside the request, the others in parts before it. */
import { createHash } from "node:crypto";
import type { LanistaClient } from "@lanista/api/client";
import { fromWire } from "@lanista/api/errors";
import { bytesText } from "../units.ts";

/** What travels inside the request; more goes up in parts. */
const INLINE = 2 * 1024 * 1024;
const PART = 1024 * 1024;

export async function handed(client: LanistaClient, space: string, zip: Buffer, tell: (text: string) => void) {
  return zip.byteLength <= INLINE
    ? { case: "zip" as const, value: zip }
    : { case: "uploadId" as const, value: await upload(client, space, zip, tell) };
}

/** In parts, going on where a cut left it. */
export async function upload(
  client: LanistaClient,
  space: string,
  bytes: Buffer,
  tell: (text: string) => void,
): Promise<string> {
  const digest = createHash("sha256").update(bytes).digest("hex");
  let { upload: state } = await client.agents.createUpload({ space, digest, sizeBytes: BigInt(bytes.byteLength) });
  for (let failures = 0; !state!.complete; ) {
    const offset = Number(state!.offset);
    tell(`uploading: ${bytesText(offset)} of ${bytesText(bytes.byteLength)}`);
    try {
      const data = bytes.subarray(offset, offset + PART);
      state = (await client.agents.uploadPart({ uploadId: state!.id, offset: BigInt(offset), data })).upload;
      failures = 0;
    } catch (error) {
      const { code } = fromWire(error);
      if ((code !== "unavailable" && code !== "internal") || ++failures > 5) throw error;
      await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** failures));
      state = (await client.agents.getUpload({ uploadId: state!.id })).upload;
    }
  }
  return state!.id;
}
