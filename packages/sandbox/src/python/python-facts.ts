/** What of a Python decides which files fit it: asked of it inside a box, for an image brings one of its own. */
import { createHash } from "node:crypto";
import { readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { SandboxHost } from "../host.ts";
import type { SandboxSpec } from "../types.ts";
import { PackagesError } from "./packages-error.ts";

const CODE = `
import json, os, platform, sys, sysconfig
print(json.dumps({"version": platform.python_version(), "implementation": sys.implementation.name,
  "tag": sys.implementation.cache_tag or "", "abi": sysconfig.get_config_var("SOABI") or "", "platform": sysconfig.get_platform(),
  "libc": " ".join(platform.libc_ver()), "executable": sys.executable, "bits": sys.maxsize.bit_length()}))
`;

const text = z.string().max(400);
const factsSchema = z.strictObject({
  version: text,
  implementation: text,
  tag: text,
  abi: text,
  platform: text,
  libc: text,
  executable: text,
  bits: z.number(),
});

export interface PythonFacts extends z.infer<typeof factsSchema> {
  /** Of the image that is the root, if one is. */
  readonly root: string;
}

const MOST_BYTES = 16 * 1024;

/**
 * The facts as `folder` keeps them from an earlier process, where neither that interpreter nor the host's libraries have changed
 * since; asking in a box takes longer than all the rest of handing out a set.
 */
export async function knownFacts(
  folder: string,
  host: SandboxHost,
  spec: Omit<SandboxSpec, "argv">,
  python: string,
): Promise<PythonFacts> {
  // An image's files are not looked at from here.
  if (spec.root !== undefined) return pythonFacts(host, spec, python);
  const state = [python, "/etc/ld.so.cache"].map((path) => {
    const found = statSync(path, { throwIfNoEntry: false, bigint: true });
    return `${path} ${found?.ino} ${found?.size} ${found?.mtimeNs}`;
  });
  const file = join(folder, `${createHash("sha256").update(state.join("\n")).digest("hex").slice(0, 32)}.json`);
  try {
    return { ...factsSchema.parse(JSON.parse(readFileSync(file, "utf8"))), root: "" };
  } catch {
    const { root, ...facts } = await pythonFacts(host, spec, python);
    writeFileSync(`${file}.${host.name}`, JSON.stringify(facts));
    renameSync(`${file}.${host.name}`, file);
    return { ...facts, root };
  }
}

/** Throws SandboxError as a start does, PackagesError `infra` if that Python does not answer. */
export async function pythonFacts(
  host: SandboxHost,
  spec: Omit<SandboxSpec, "argv">,
  python: string,
): Promise<PythonFacts> {
  const box = await host.start({ ...spec, argv: [python, "-I", "-B", "-c", CODE] });
  box.stdin.end();
  const read = async (stream: AsyncIterable<Buffer>): Promise<string> => {
    let all = "";
    for await (const piece of stream) if (all.length < MOST_BYTES) all += piece.toString("utf8");
    return all;
  };
  const [out, errors, end] = await Promise.all([read(box.stdout), read(box.stderr), box.ended]);
  try {
    if (end.cause.kind !== "exit" || end.cause.code !== 0) throw new Error(errors.trim() || JSON.stringify(end.cause));
    return { ...factsSchema.parse(JSON.parse(out)), root: end.stamp.root?.digest ?? "" };
  } catch (error) {
    throw new PackagesError("infra", `${python} does not tell what it is: ${(error as Error).message.slice(-500)}`, {
      cause: error,
    });
  }
}
