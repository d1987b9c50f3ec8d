import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { allGuards, type Guard, type Guards } from "@lanista/arena/agents/guards";
import { prepareAgent } from "@lanista/arena/agents/prepare";
import { BundleError, type BundleErrorCode, type BundleLimits, defaultBundleLimits } from "@lanista/arena/agents/types";
import { unzip } from "@lanista/arena/agents/unzip";
import { afterEach, expect } from "vitest";

let scratch: string | undefined;

/** A folder of the test's own, removed when it ends. */
export function scratchDir(): string {
  scratch ??= mkdtempSync(join(tmpdir(), "lanista-bundles-"));
  return scratch;
}

afterEach(() => {
  if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
  scratch = undefined;
});

/** Every path below a folder, sorted. */
export function listAll(dir: string): string[] {
  return readdirSync(dir, { recursive: true }).map(String).sort();
}

export function without(...names: Guard[]): Guards {
  return new Set(allGuards.filter((guard) => !names.includes(guard)));
}

/** Runs it and gives the BundleError that it must end in. */
export async function refusal(promise: Promise<unknown>): Promise<BundleError> {
  const error = await promise.then(
    () => expect.fail("the bundle was taken in"),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof BundleError)) throw error;
  return error;
}

/** The archive is refused with this code, by the door that participants use, and neither file nor folder is left anywhere. */
export async function expectRefused(
  archive: Uint8Array | string,
  code: BundleErrorCode,
  limits: Partial<BundleLimits> = {},
): Promise<BundleError> {
  const path = typeof archive === "string" ? archive : join(scratchDir(), "hostile.zip");
  if (typeof archive !== "string") writeFileSync(path, archive);
  const workDir = join(scratchDir(), "inner", "work");
  mkdirSync(workDir, { recursive: true });
  const before = listAll(scratchDir());
  const error = await refusal(prepareAgent(path, { workDir, limits }));
  expect(error.code, error.message).toBe(code);
  expect(listAll(scratchDir())).toEqual(before);
  return error;
}

/** Unpacks into a fresh folder `inner/loosened` with guards or bounds loosened; returns the files' names. */
export async function unpackLoosened(
  archive: Uint8Array | string,
  guards: Guards,
  limits: Partial<BundleLimits> = {},
): Promise<string[]> {
  const path = typeof archive === "string" ? archive : join(scratchDir(), "hostile.zip");
  if (typeof archive !== "string") writeFileSync(path, archive);
  const dir = join(scratchDir(), "inner", "loosened");
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  return unzip(path, dir, { ...defaultBundleLimits, ...limits }, guards);
}
