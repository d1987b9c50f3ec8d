/**
 * Where packages come from. Own settings first; then what uv's and pip's users have set already, by variables or pip.conf; then
 * PyPI. What stands there and cannot be honoured is refused, and not passed over.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { SandboxError } from "../errors.ts";
import { readPipConf } from "./pip-conf.ts";

const PYPI = "https://pypi.org/simple/";

export const STRATEGIES = ["first-index", "unsafe-first-match", "unsafe-best-match"] as const;
export type IndexStrategy = (typeof STRATEGIES)[number];

/** A complete answer to: from where? */
export interface IndexSettings {
  /** As PEP 503 has them, ending with a slash; the first is the default one. None where there is to be no index. */
  readonly indexes: readonly URL[];
  readonly strategy: IndexStrategy;
  /** Folders of wheels and source archives, which boxes are shown. */
  readonly folders: readonly string[];
  /** Versions that are taken where a requirement leaves a choice: the text of a constraints file. */
  readonly constraints: string;
  /** The same for what packages are built with, such as "setuptools<66" for those that today's cannot build. */
  readonly buildConstraints: string;
  /** A file of certificates to trust beside the usual ones. */
  readonly caFile?: string;
  /** The only other hosts that an index may name for its files; absent: any that it names, by https. */
  readonly fileHosts?: readonly string[];
  /** Seconds without a byte. */
  readonly timeoutSeconds: number;
}

/** What a caller may set. Paths are of the host. */
export interface IndexOptions {
  readonly indexUrl?: string;
  readonly extraIndexUrls?: readonly string[];
  readonly strategy?: string;
  readonly findLinks?: readonly string[];
  /** No index: only folders and what is built already. */
  readonly offline?: boolean;
  readonly constraints?: string;
  readonly buildConstraints?: string;
  readonly caFile?: string;
  readonly fileHosts?: readonly string[];
}

type Variables = Readonly<Record<string, string | undefined>>;

const words = (text: string | undefined): string[] => (text ?? "").split(/\s+/).filter((word) => word !== "");
const isTrue = (text: string | undefined): boolean => text !== undefined && /^(1|true|yes|on|y|t)$/i.test(text.trim());

function indexUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new SandboxError(
      "refused",
      `a package index has an address with https, not "${text.replace(/\/\/.*@/, "//…@")}"`,
    );
  url.hash = "";
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url;
}

/** Without who asks: for people, and for what a set is known by. */
export function shownUrl(url: URL): string {
  const bare = new URL(url);
  bare.username = bare.password = "";
  return bare.href;
}

function folder(text: string): string {
  const path = resolve(text.replace(/^file:\/\//, ""));
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text) && !text.startsWith("file://"))
    throw new SandboxError("refused", `find-links can be folders only, not ${text}; name the page as an extra index`);
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw new SandboxError("refused", `there is no folder ${path} to find packages in`);
  return path;
}

function firstFile(...paths: readonly (string | undefined)[]): string | undefined {
  return paths.find((path) => path !== undefined && path !== "" && statSync(path, { throwIfNoEntry: false })?.isFile());
}

/** pip's files, the later winning, as pip itself reads them. */
function pipFiles(env: Variables): string[] {
  if (env.PIP_CONFIG_FILE === "/dev/null") return [];
  const config = env.XDG_CONFIG_HOME || join(homedir(), ".config");
  const named = env.PIP_CONFIG_FILE === undefined ? [] : [env.PIP_CONFIG_FILE];
  const usual = [
    "/etc/xdg/pip/pip.conf",
    "/etc/pip.conf",
    join(homedir(), ".pip/pip.conf"),
    join(config, "pip/pip.conf"),
  ];
  return [...usual, ...named].filter((path) => existsSync(path));
}

/** Throws SandboxError `refused` for what cannot be honoured. */
export function indexSettings(own: IndexOptions = {}, env: Variables = process.env): IndexSettings {
  const pip = new Map(pipFiles(env).flatMap((path) => [...readPipConf(readFileSync(path, "utf8"))]));
  const set = (uv: readonly string[], name: string): string | undefined =>
    [...uv.map((one) => env[one]), env[`PIP_${name.toUpperCase().replaceAll("-", "_")}`], pip.get(name)].find(
      (text) => text !== undefined && text.trim() !== "",
    );
  const offline = own.offline ?? (isTrue(env.UV_OFFLINE) || isTrue(set(["UV_NO_INDEX"], "no-index")));
  const main = own.indexUrl ?? set(["UV_DEFAULT_INDEX", "UV_INDEX_URL"], "index-url") ?? PYPI;
  const extra =
    own.extraIndexUrls ??
    words([env.UV_INDEX, env.UV_EXTRA_INDEX_URL].filter((one) => one).join(" ") || set([], "extra-index-url"));
  const strategy = own.strategy ?? env.UV_INDEX_STRATEGY ?? "first-index";
  if (!(STRATEGIES as readonly string[]).includes(strategy))
    throw new SandboxError("refused", `an index strategy is one of ${STRATEGIES.join(", ")}, not "${strategy}"`);
  const links = words(set([], "find-links"));
  const uvLinks = (env.UV_FIND_LINKS ?? "").split(/[,\s]+/).filter((one) => one !== "");
  // Of variables, folders that are not there mean nothing, as with pip: they are often set for all machines of a kind.
  const standard = (uvLinks.length > 0 ? uvLinks : links).filter((one) => /:\/\//.test(one) || existsSync(one));
  // Own ones are one file, whose name may have a blank.
  const files = (one: string | undefined, uv: string, pip: string): readonly string[] =>
    one === undefined ? words(set([uv], pip)) : [one];
  const constraints = files(own.constraints, "UV_CONSTRAINT", "constraint");
  const buildConstraints = files(own.buildConstraints, "UV_BUILD_CONSTRAINT", "build-constraint");
  const caFile =
    own.caFile ?? firstFile(env.SSL_CERT_FILE, set([], "cert"), env.REQUESTS_CA_BUNDLE, env.CURL_CA_BUNDLE);
  if (own.caFile !== undefined && firstFile(own.caFile) === undefined)
    throw new SandboxError("refused", `there is no file of certificates at ${own.caFile}`);
  const seconds = Number(set(["UV_HTTP_TIMEOUT"], "default-timeout") ?? set([], "timeout") ?? 60);
  return {
    indexes: offline ? [] : [main, ...extra].map((text) => indexUrl(text.replace(/^[A-Za-z0-9_.-]+=(?=https?:)/, ""))),
    strategy: strategy as IndexStrategy,
    folders: [...new Set((own.findLinks ?? standard).map(folder))],
    constraints: readConstraints(constraints),
    buildConstraints: readConstraints(buildConstraints),
    ...(caFile === undefined ? {} : { caFile }),
    ...(own.fileHosts === undefined ? {} : { fileHosts: own.fileHosts }),
    timeoutSeconds: Number.isFinite(seconds) && seconds >= 1 ? Math.min(seconds, 600) : 60,
  };
}

function readConstraints(paths: readonly string[]): string {
  return paths
    .map((path) => {
      try {
        return readFileSync(path, "utf8");
      } catch (error) {
        throw new SandboxError("refused", `the constraints ${path} cannot be read: ${(error as Error).message}`);
      }
    })
    .join("\n");
}
