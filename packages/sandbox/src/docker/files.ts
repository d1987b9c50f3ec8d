/**
 * How a box in an engine gets its files. An engine that sees this host's files under their own paths shows them: host folders
 * through an overlay each, /agent as it is. One that does not, on another machine or in a virtual one, gets copies: each
 * folder becomes a volume, filled by way of a container that is never started, and what is added to /agent goes there before
 * the next byte goes to the program.
 */
import { createReadStream } from "node:fs";
import { lstat, opendir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type Docker from "dockerode";
import type { MountSettings } from "dockerode";
import tar, { type Pack } from "tar-stream";
import type { ReadOnlyMount } from "../types.ts";
import { statusOf } from "./engine.ts";
import { overlayVolume } from "./overlay-volume.ts";

export interface BoxFiles {
  readonly mounts: readonly MountSettings[];
  /** Waited for ahead of each write to the program. */
  readonly before?: () => Promise<void>;
  release(): Promise<void>;
}

/** `etc`: the folder to be laid over /etc, where the image has none of its own. */
export function shownFiles(dir: string, layers: readonly ReadOnlyMount[], etc: string | undefined): BoxFiles {
  const bind = (Source: string, Target: string): MountSettings => ({ Type: "bind", Source, Target, ReadOnly: true });
  return {
    mounts: [
      ...(etc === undefined ? [] : [bind(etc, "/etc")]),
      ...layers.map((layer) => overlayVolume(layer, join(dir, "empty"))),
      bind(join(dir, "agent"), "/agent"),
    ],
    release: async () => {},
  };
}

export interface CopyInput {
  readonly docker: Docker;
  /** Any image: the container that carries the files is never started. */
  readonly image: string;
  /** For volumes and the container, unlike any other's. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly agentDir: string;
  readonly mounts: readonly ReadOnlyMount[];
}

/** Throws what the engine refuses; what was made until then is removed. */
export async function copiedFiles(input: CopyInput): Promise<BoxFiles> {
  const { docker, name, labels, agentDir } = input;
  const folders = [{ source: agentDir, target: "/agent" }, ...input.mounts].map((mount, at) => ({
    ...mount,
    volume: `${name}-v${at}`,
    inside: `/v/${at}`,
  }));
  const mount = (volume: string, Target: string, ReadOnly: boolean): MountSettings =>
    ({ Type: "volume", Source: volume, Target, ReadOnly, VolumeOptions: { NoCopy: true } }) as unknown as MountSettings;
  let carrier: Docker.Container | undefined;
  const release = async (): Promise<void> => {
    await carrier?.remove({ force: true, v: true }).catch(unlessGone);
    for (const { volume } of folders) await docker.getVolume(volume).remove({ force: true }).catch(unlessGone);
  };
  try {
    for (const { volume } of folders) await docker.createVolume({ Name: volume, Labels: { ...labels } });
    const made = await docker.createContainer({
      name: `${name}-carrier`,
      Image: input.image,
      Cmd: ["/never-started"],
      Labels: { ...labels },
      HostConfig: { NetworkMode: "none", Mounts: folders.map(({ volume, inside }) => mount(volume, inside, false)) },
    });
    carrier = made;
    for (const { source, inside } of folders.slice(1)) await put(made, source, inside);
    let seen = "";
    const before = async (): Promise<void> => {
      const now = await stateOf(agentDir);
      if (now === seen) return;
      await put(made, agentDir, "/v/0");
      seen = now;
    };
    return { mounts: folders.map(({ volume, target }) => mount(volume, target, true)), before, release };
  } catch (error) {
    await release();
    throw error;
  }
}

function unlessGone(error: unknown): void {
  if (statusOf(error) !== 404) throw error;
}

/** Changes when a file below is added or written to. */
async function stateOf(folder: string): Promise<string> {
  const lines: string[] = [];
  for await (const entry of await opendir(folder, { recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    const { size, mtimeMs, mode } = await lstat(path);
    lines.push(`${path} ${size} ${mtimeMs} ${mode}`);
  }
  return lines.sort().join("\n");
}

async function put(container: Docker.Container, folder: string, inside: string): Promise<void> {
  const pack = tar.pack();
  const packing = packFolder(pack, folder).then(
    () => pack.finalize(),
    (error: Error) => pack.destroy(error),
  );
  await container.putArchive(Readable.from(pack), { path: inside });
  await packing;
}

/** Folders, plain files and links: nothing else comes to a box. */
async function packFolder(pack: Pack, folder: string): Promise<void> {
  for await (const entry of await opendir(folder, { recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    const { size, mode, mtime } = await lstat(path);
    const header = { name: path.slice(folder.length + 1), mode: mode & 0o777, mtime };
    if (entry.isDirectory()) pack.entry({ ...header, type: "directory" });
    else if (entry.isSymbolicLink()) pack.entry({ ...header, type: "symlink", linkname: await readlink(path) });
    else if (entry.isFile())
      await pipeline(createReadStream(path, { end: Math.max(0, size - 1) }), pack.entry({ ...header, size }));
  }
}
