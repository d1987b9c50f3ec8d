import type { Resources } from "@lanista/api/gen/lanista/v1/common_pb";
import type { ResourcesRow } from "../db/types.ts";

/** As a message of the wire. */
export function wireResources({ cpus = 0, memoryBytes = 0, gpus = 0, vramBytes = 0 }: ResourcesRow) {
  const bytes = (value: number): bigint => BigInt(Math.max(0, Math.floor(value)));
  return { cpus: Math.max(0, cpus), memoryBytes: bytes(memoryBytes), gpus, vramBytes: bytes(vramBytes) };
}

export function resourcesOf(message: Resources | undefined): ResourcesRow {
  if (message === undefined) return {};
  const { cpus, memoryBytes, gpus, vramBytes } = message;
  return { cpus, memoryBytes: Number(memoryBytes), gpus, vramBytes: Number(vramBytes) };
}
