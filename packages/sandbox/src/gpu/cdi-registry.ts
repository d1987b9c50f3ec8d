/** Finds devices by their qualified names, "nvidia.com/gpu=0", in the folders where CDI files lie. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { SandboxError } from "../errors.ts";
import { type CdiEdits, type CdiSpec, readCdiSpec } from "./cdi-spec.ts";

/** The later goes before the earlier, as CDI has it. */
const FOLDERS = ["/etc/cdi", "/var/run/cdi"];
const MOST_BYTES = 4 * 1024 * 1024;
const NAME = /^([A-Za-z0-9][A-Za-z0-9.-]*\/[A-Za-z0-9][A-Za-z0-9_.-]*)=([A-Za-z0-9][A-Za-z0-9_.:-]*)$/;

/** LANISTA_CDI_DIRS, with colons between them, goes before the usual folders. */
export function cdiFolders(): readonly string[] {
  return [...FOLDERS, ...(process.env.LANISTA_CDI_DIRS ?? "").split(":").filter((folder) => folder !== "")];
}

interface Found {
  readonly file: string;
  readonly spec: CdiSpec;
}

/** Throws SandboxError `refused` on a file that is none: it may be the one that is needed. */
function filesOf(folder: string): Found[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => /\.(json|ya?ml)$/.test(name))
    .sort()
    .map((name) => {
      const file = join(folder, name);
      try {
        if (statSync(file).size > MOST_BYTES) throw new Error(`it is longer than ${MOST_BYTES} bytes`);
        return { file, spec: readCdiSpec(readFileSync(file, "utf8")) };
      } catch (error) {
        throw new SandboxError("refused", `${file} is no CDI file: ${(error as Error).message}`, { cause: error });
      }
    });
}

/** What each of the devices needs, then what their files ask for all. Throws SandboxError `refused`. */
export function editsOf(names: readonly string[], folders: readonly string[] = cdiFolders()): readonly CdiEdits[] {
  const places = [...folders].reverse().map(filesOf);
  const common = new Set<CdiEdits>();
  const edits = [...new Set(names)].map((name) => {
    const [, kind, device] = NAME.exec(name) ?? [];
    if (kind === undefined)
      throw new SandboxError("refused", `"${name}" is no device's name; one looks like nvidia.com/gpu=0`);
    for (const files of places) {
      const found = files.flatMap(({ file, spec }) =>
        spec.kind === kind ? spec.devices.filter((one) => one.name === device).map((one) => ({ file, spec, one })) : [],
      );
      if (found.length > 1)
        throw new SandboxError("refused", `${name} stands in ${found.map(({ file }) => file).join(" and ")}`);
      if (found[0] === undefined) continue;
      if (found[0].spec.containerEdits !== undefined) common.add(found[0].spec.containerEdits);
      return found[0].one.containerEdits;
    }
    const known = places.flat().flatMap(({ spec }) => spec.devices.map((one) => `${spec.kind}=${one.name}`));
    throw new SandboxError(
      "refused",
      `this host has no device ${name}; ${known.length > 0 ? `it has ${known.slice(0, 20).join(", ")}` : `no CDI file in ${folders.join(", ")} names any (nvidia-ctk cdi generate)`}`,
    );
  });
  return [...edits, ...common];
}
