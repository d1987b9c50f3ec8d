/** What the backend's words for an agent's code mean: `docker_image`, or a `code_url` that is a URL, a path or an image. */
import { existsSync } from "node:fs";
import { isAbsolute, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { LanistaError } from "@lanista/api/errors";

export type CodeSource =
  | { readonly kind: "image"; readonly image: string }
  | { readonly kind: "url"; readonly url: string }
  | { readonly kind: "path"; readonly path: string };

const MOST = 4000;
const MOST_IMAGE = 500;
const DOMAIN = "[a-z0-9](?:[a-z0-9.-]{0,200}[a-z0-9])?(?::[0-9]{1,5})?";
const PART = "[a-z0-9]+(?:(?:\\.|_{1,2}|-+)[a-z0-9]+)*";
const IMAGE = new RegExp(
  `^(?:${DOMAIN}/)?${PART}(?:/${PART})*(?::[a-z0-9_][a-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$`,
  "i",
);

/**
 * `docker_image` goes before `code_url`. A relative path is one where such a file is below an allowed folder; what is
 * neither a path nor a URL, but could be an image's name, is one. Throws LanistaError `invalid`.
 */
export function codeSource(
  agent: { readonly codeUrl: string; readonly dockerImage: string },
  folders: readonly string[],
): CodeSource {
  if (agent.dockerImage !== "") return imageSource(agent.dockerImage);
  const given = agent.codeUrl;
  if (given === "") throw new LanistaError("invalid", "neither code_url nor docker_image is given");
  if (given.length > MOST || given.includes("\0")) throw new LanistaError("invalid", "code_url is no URL");
  if (/^https?:/i.test(given)) return { kind: "url", url: given };
  if (/^file:/i.test(given)) return { kind: "path", path: pathOf(given) };
  if (/^docker:\/\//i.test(given)) return imageSource(given.slice("docker://".length));
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(given))
    throw new LanistaError("invalid", "code_url: only http, https, file and docker URLs are known");
  if (isAbsolute(given)) return { kind: "path", path: given };
  const below = folders
    .map((folder) => join(folder, given))
    .find((path, index) => !relative(folders[index]!, path).startsWith("..") && existsSync(path));
  if (below !== undefined) return { kind: "path", path: below };
  return imageSource(given);
}

function imageSource(image: string): CodeSource {
  if (image.length > MOST_IMAGE || !IMAGE.test(image))
    throw new LanistaError("invalid", "neither a path below an allowed folder, nor a URL, nor an image's name");
  return { kind: "image", image };
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (error) {
    throw new LanistaError("invalid", `code_url: ${(error as Error).message}`, { cause: error });
  }
}
