/**
 * aiVLE's own packages are on no index: bundles name them by their address on GitHub, which no build can reach. They come with
 * us, as they are upstream (guest/legacy/upstream), and are taken out of what is asked of the index.
 */
export interface UpstreamNeeds {
  /** What is left to ask for; empty if nothing is. */
  readonly requirements: string;
  /** Folders below guest/legacy/upstream, each with one package in it. */
  readonly folders: readonly string[];
}

interface Upstream {
  readonly needs: readonly string[];
  /** The folder for a version or a Git reference ("" for none); undefined for a version that we have not. */
  readonly folder: (version: string, isReference: boolean) => string | undefined;
}

/** Before its environments chose their ports themselves. */
const OLD_GYM = /^(v?0\.1\b|3d0d56|4b24831|d4a651c|a9d05f1)/;

const UPSTREAM: Readonly<Record<string, Upstream>> = {
  grader: {
    needs: ["gym"],
    folder: (version, isReference) =>
      isReference || version === "" || /^0\.1(\.[0-3])?$/.test(version) ? "aivle_grader-0.1.3" : undefined,
  },
  gym: {
    needs: ["gym", "pyzmq"],
    folder: (version, isReference) => {
      if (OLD_GYM.test(version)) return "aivle_gym-0.1.0";
      return isReference || version === "" || /^0\.2(\.0)?$/.test(version) ? "aivle_gym-0.2.0" : undefined;
    },
  },
};

const LINE =
  /^\s*aivle[-_.](grader|gym)\s*(?:@\s*git\+\S+?\/aivle-(?:grader|gym)(?:\.git)?(?:@(?<reference>[\w.]+))?|==\s*(?<version>[\w.]+))?\s*(?:#.*)?$/i;

export function upstreamNeeds(text: string): UpstreamNeeds {
  const folders: string[] = [];
  const wanted: string[] = [];
  const left = text.split(/\r?\n/).filter((line) => {
    const found = LINE.exec(line);
    if (found === null) return true;
    const { reference, version = "" } = found.groups ?? {};
    const upstream = UPSTREAM[found[1]!.toLowerCase()]!;
    const isReference = line.includes("@");
    const folder = upstream.folder(isReference ? (reference ?? "") : version, isReference);
    if (folder === undefined) return true;
    folders.push(folder);
    wanted.push(...upstream.needs);
    return false;
  });
  for (const name of new Set(wanted)) if (!left.some((line) => nameOf(line) === name)) left.push(name);
  const asks = left.some((line) => line.trim() !== "" && !line.trim().startsWith("#"));
  return { requirements: asks ? left.join("\n") : "", folders };
}

const nameOf = (line: string): string => (/^\s*([A-Za-z0-9._-]+)/.exec(line)?.[1] ?? "").toLowerCase();
